// Publishes that were accepted into the journal before their conversation or sender was in memory. They wait here, in
// the order in which they came, and go on when what they wait for was loaded.
//
// Invariants
//  (1) A parked publish is in the journal, and stays there (floor()) until a record that resolves it is behind it. Its
//      segment may stay for longer, and the resolving record become unreadable meanwhile: then the publish would be
//      parked, and carried out, once more. So what became a record of its own gets a ResolvedRecord as well, but only
//      once the store has the former (take_stored()): before that, a power cut could leave the latter alone.
//  (2) A publish waits if and only if its conversation or its sender is not in memory, so within one conversation and
//  sender
//      nothing overtakes.
// Thread: the broker's; floor() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/directory.h"
#include "plugin/core/recent_ids.h"
#include "plugin/core/string_map.h"
#include "plugin/journal/record.h"

namespace chat {

struct Conversation;

struct Parked {
  Position position = 0;
  std::shared_ptr<User> user;
  ParkedRecord record;
  bool done = false;
  // What is in memory while it waits for the other: without this, publishes that need two loads each could take turns
  // in pushing each other's out for ever.
  std::shared_ptr<Conversation> pinned{};
  bool pins_sender = false;
  std::optional<RecentId> known{};  // see Waiting
};

class Parking {
 public:
  static constexpr std::size_t kCountMax = 20'000;
  static constexpr std::size_t kBytesMax = 64U << 20;  // of topics and payloads
  static constexpr Position kNothingParked = UINT64_MAX;

  bool has_room(std::size_t bytes) const { return count_ < kCountMax && bytes_ + bytes <= kBytesMax; }

  // Call before the record is appended at `position`: from now on nothing at or behind it is trimmed.
  void reserve(Position position);
  std::shared_ptr<Parked> add(Position position, std::shared_ptr<User> user, ParkedRecord record);
  // resume() of `key` will find it; a publish may wait for two keys.
  void wait_for(const std::shared_ptr<Parked>& parked, const std::string& key);
  void finish(Parked& parked);

  // The record that the publish parked at `position` has become is in the journal, before `end`.
  void became_record(Position position, Position end) { unstored_.push_back({.end = end, .parked = position}); }
  // The positions of those whose record the store has, now that it has everything before `up_to`; each is told once.
  std::vector<Position> take_stored(Position up_to);

  // Those that wait for `key`, oldest first and each once; they wait for it no longer.
  std::vector<std::shared_ptr<Parked>> take(std::string_view key);

  static std::string conversation_key(std::string_view conv) { return "c/" + std::string(conv); }
  static std::string sender_key(std::string_view user) { return "u/" + std::string(user); }

  std::size_t size() const { return count_; }

  // The oldest position that must stay in the journal for a parked publish; kNothingParked where there is none.
  Position floor() const { return floor_.load(std::memory_order_acquire); }
  // Ends a reserve() whose record was not appended, and follows finish().
  void publish_floor();

 private:
  struct Unstored {
    Position end;
    Position parked;
  };

  std::deque<std::shared_ptr<Parked>> order_;  // oldest first
  std::deque<Unstored> unstored_;              // end rising
  StringMap<std::vector<std::shared_ptr<Parked>>> waiting_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::atomic<Position> floor_{kNothingParked};
};

}  // namespace chat
