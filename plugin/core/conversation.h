// A conversation in the broker's memory.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/bytes.h"
#include "plugin/core/directory.h"
#include "storage/types.h"

namespace chat {

struct MemberEntry {
  std::shared_ptr<User> user;
  Role role = Role::kMember;
  Seq join_seq = 1;
  Rev join_rev = 1;
};

// See seq_at_risk.h.
struct SeqAtRisk {
  Seq safe_seq = 0;            // everything up to here is in PostgreSQL or on the medium
  Seq mark_seq = 0;            // will be, once the medium has
  Position mark_position = 0;  // ... the journal up to here
};

struct Conversation;

// By whom the Tail's entries find their conversation, as long as there is one. Counted by hand, without atomic
// instructions: it never leaves the broker's thread.
struct TailOwner {
  Conversation* conversation = nullptr;  // null: gone
  std::size_t entries = 0;

  struct Leave {
    void operator()(TailOwner* owner) const {
      owner->conversation = nullptr;
      if (owner->entries == 0) delete owner;
    }
  };
};

struct Conversation {
  std::string name;
  ConvId id = 0;
  ConversationKind kind = ConversationKind::kGroup;
  bool announcement = false;
  Seq last_seq = 0;
  TimeMs last_time = 0;
  Rev last_rev = 0;
  Seq committed_seq = 0;       // PostgreSQL has everything up to here
  Position last_position = 0;  // the journal's end behind this conversation's last message
  SeqAtRisk risk;
  std::vector<MemberEntry> members;  // in byte order of the users' names
  DirectStanding standing;           // of a direct one
  bool standing_sure = true;         // false: it was changed, and what it is now is being asked for
  std::unique_ptr<TailOwner, TailOwner::Leave> tail_owner;  // the Tail's
  std::deque<Bytes> tail;          // the latest messages as delivered; the last one is last_seq. See Tail.
  std::map<Seq, TimeMs> expiring;  // of those in the tail, the ones that expire, and when
  std::set<Seq> unrouted;          // QoS 2: accepted, but the broker has not routed them yet (they wait for PUBREL)
  std::list<std::shared_ptr<Conversation>>::iterator place;  // in the ConversationCache
  int pins = 0;  // parked publishes that wait for their sender only: until that is loaded, this stays in memory
  std::size_t charged = 0;  // bytes that the cache counted for it

  const MemberEntry* member(std::string_view user) const;
  // The delivered bytes of `seq` where they are still in the tail, else null.
  const Bytes* in_tail(Seq seq) const;
  // The message that is delivered as exactly these bytes, while it is in the tail; 0: there is none.
  Seq seq_of(std::string_view bytes) const;
  // When the message expires; 0: never, or it is not in the tail.
  TimeMs expires_at(Seq seq) const;
};

}  // namespace chat
