// A sender's latest messages that carried an id: what recognises a retry (guarantee 3).
//
// Invariants
//  (1) An id that is among the sender's last `limit` ids is found. Older ones may be forgotten, oldest first.
//  (2) Two ids are told apart by 128 bits of hash; the ids themselves are not kept.
// Own code in place of a hash map and a list: every publish comes by here, and once the ring is full it allocates
// nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/types.h"

namespace chat {

// An id's hash (XXH3, 128 bits) in two halves.
struct IdHash {
  IdHash() = default;
  explicit IdHash(std::string_view id);
  std::uint64_t key = 0;
  std::uint64_t check = 0;
};

struct RecentId {
  IdHash hash;
  std::uint64_t payload_hash = 0;  // with conv_id: tells a retry from a conflict
  ConvId conv_id = 0;
  Seq seq = 0;
  TimeMs server_time = 0;
  Uuid mid{};
  // The message was recalled or edited before it was loaded: what its sender published at first is no longer known, so
  // every payload counts as the same.
  bool any_payload = false;
};

class RecentIds {
 public:
  // `limit` is at least 1.
  explicit RecentIds(std::size_t limit) : limit_(limit) {}

  // The entry lives until the next remember().
  RecentId* find(const IdHash& id);
  // entry.hash is that of the id.
  void remember(const RecentId& entry);
  // The least server_time for the sender's next message. The store tells which of a sender's messages are its latest by
  // their times (the latest `limit` are loaded behind a restart), so these must not fall where the wall clock was set
  // back, as they do not within a conversation; nor may more than half of `limit` have the same one.
  TimeMs next_time() const { return latest_ + (at_latest_ > limit_ / 2 ? 1 : 0); }
  std::size_t size() const { return ring_.size(); }
  std::size_t bytes() const { return ring_.capacity() * sizeof(RecentId) + slots_.size() * sizeof(slots_[0]); }

  static std::uint64_t payload_hash(std::string_view payload);

 private:
  // What tells most ids apart without a look at the ring, each of whose entries takes cache lines of its own.
  struct Slot {
    std::uint32_t place = 0;  // 1 + that in ring_, 0 = free
    std::uint32_t tag = 0;    // the key's lower half
  };

  // Where `key` stands in slots_, or the free slot where it would.
  std::size_t slot_of(std::uint64_t key) const;
  void take_out(std::uint64_t key);
  void grow();

  std::size_t limit_;
  std::vector<RecentId> ring_;  // once full, oldest_ is replaced next
  std::size_t oldest_ = 0;
  TimeMs latest_ = 0;  // the highest server_time so far, and how many have it
  std::size_t at_latest_ = 0;
  std::vector<Slot> slots_;  // open addressing; at most half are taken
};

}  // namespace chat
