// A sender's latest messages that carried an id: what recognises a retry (guarantee 3).
//
// Invariants
//  (1) An id that is among the sender's last `limit` ids is found. Older ones may be forgotten, oldest first.
//  (2) Two ids are told apart by 128 bits of hash; the ids themselves are not kept.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "storage/types.h"

namespace chat {

struct RecentId {
  std::uint64_t check = 0;         // the second half of the id's hash
  std::uint64_t payload_hash = 0;  // of conversation and payload: tells a retry from a conflict
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
  // Bytes that one remembered id costs, with the containers' own: for the cache's bound.
  static constexpr std::size_t kBytesPerId = sizeof(RecentId) + 64;

  explicit RecentIds(std::size_t limit) : limit_(limit) {}

  // The entry lives until the next remember().
  RecentId* find(std::string_view id);
  void remember(std::string_view id, RecentId entry);
  std::size_t size() const { return entries_.size(); }

  static std::uint64_t payload_hash(std::string_view conv, std::string_view payload);

 private:
  std::size_t limit_;
  std::unordered_map<std::uint64_t, RecentId> entries_;
  std::deque<std::uint64_t> order_;  // oldest first
};

}  // namespace chat
