// What the broker's thread remembers of one device's inbox: how far it was served in each conversation. Plain state;
// outflow.h keeps its invariants.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plugin/core/ports.h"
#include "plugin/core/string_map.h"
#include "storage/message_event.h"

namespace chat {

// One device's place in one conversation. A conversation without a lane is one in which the device has everything so
// far.
struct Lane {
  std::string conv;
  ConvId conv_id = 0;
  Seq sent = 0;          // handed to the broker up to here
  Seq fetched = 0;       // read from the store up to here: behind `sent` in the tap's page
  Seq target = 0;        // known to exist up to here
  Position barrier = 0;  // the store has everything up to `target` once it has committed up to here
  Seq acked = 0;         // journaled
  Rev rev_sent = 0;
  Rev rev_fetched = 0;
  Rev rev_target = 0;
  Rev rev_acked = 0;
  std::vector<Seq> unacked;  // sent and not acknowledged, rising
  std::vector<Rev> rev_unacked;
  Seq auto_acked = 0;  // with AckMode::kAuto: handed over up to here; 0 = no message was
  Rev auto_rev_acked = 0;
  std::uint64_t placing =
      0;  // the request whose answer says where this lane stands; until then only targets are raised; 0 = none
  bool unkept = false;      // an acknowledgement made room, but the journal refused it: the next one is journaled
  bool behind = false;      // stands in Tap::behind
  bool auto_dirty = false;  // stands in Tap::auto_dirty

  bool complete() const { return sent >= target && rev_sent >= rev_target; }
};

struct Tap {
  enum class State : std::uint8_t {
    kClosed,
    kOpening,  // asked the store what is owed; live messages only raise targets
    kOpen,
  };
  State state = State::kClosed;
  std::uint64_t generation = 0;  // of this opening; answers with another one are late
  bool catching_up = false;      // sync end has not been said
  Replay replay = Replay::kFull;
  int replay_limit = 0;
  AckMode ack = AckMode::kClient;

  StringMap<Lane> lanes;
  StringMap<std::pair<Seq, Rev>> early;  // acknowledged while the store was being asked where the device stands
  std::map<std::uint64_t, std::string> placings;  // generation of the request, conversation
  std::uint64_t look = 0;                         // generation of the latest request that looks again; 0: none
  std::deque<std::string> behind;  // conversations to be served from the store or the tail, in this order
  std::deque<PageItem> page;       // read and not yet sent
  bool page_asked = false;
  // While a page is on its way: messages that were recalled or edited since it was asked for, and conversations of
  // which it has to be read anew. It may have been read before that.
  std::vector<std::pair<std::string, Rewriting>> rewritten;
  StringSet read_again;
  int outstanding = 0;  // sent and not acknowledged, messages and events of all lanes

  double tokens = 0;                    // with AckMode::kAuto: how many may be handed over now
  TimeMs tokens_at = 0;                 // Clock::steady() of the last refill
  std::vector<std::string> auto_dirty;  // lanes whose handed-over cursor is not journaled yet
};

}  // namespace chat
