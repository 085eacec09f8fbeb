// The stage that gives a message its place. Today it counts in the broker's memory, under the journal; with several
// brokers the commit will give the number instead, so nothing else computes a seq.
//
// Invariants
//  (1) seq is last_seq + 1: no hole, no repeat. place() alone changes nothing; take() does, after the journal has the
//  message. (The only holes are those that the store left behind a loss: seq_at_risk.h.)
//  (2) server_time never falls as seq rises, also where the wall clock was set back. (Nor from one message of a sender
//  to the next: RecentIds::next_time().)
#pragma once

#include <algorithm>

#include "plugin/core/conversation.h"

namespace chat {

struct Place {
  Seq seq = 0;
  TimeMs server_time = 0;
};

inline Place place(const Conversation& conversation, TimeMs now) {
  return {.seq = conversation.last_seq + 1, .server_time = std::max(now, conversation.last_time)};
}

inline void take(Conversation& conversation, const Place& place) {
  conversation.last_seq = place.seq;
  conversation.last_time = place.server_time;
}

}  // namespace chat
