#include "plugin/core/recent_ids.h"

#include <functional>

namespace chat {
namespace {

std::uint64_t key_of(std::string_view id) {
  return std::hash<std::string_view>{}(id);
}

// FNV-1a (Fowler, Noll, Vo), 64 bits: independent of the standard library's hash, and ids are short.
std::uint64_t check_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

RecentId* RecentIds::find(std::string_view id) {
  const auto found = entries_.find(key_of(id));
  return found != entries_.end() && found->second.check == check_of(id) ? &found->second : nullptr;
}

void RecentIds::remember(std::string_view id, RecentId entry) {
  const auto key = key_of(id);
  entry.check = check_of(id);
  if (entries_.insert_or_assign(key, entry).second) order_.push_back(key);
  while (entries_.size() > limit_) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

std::uint64_t RecentIds::payload_hash(std::string_view conv, std::string_view payload) {
  const auto one = key_of(conv);
  const auto other = key_of(payload);
  return one ^ (other + 0x9e3779b97f4a7c15ULL + (one << 6) + (one >> 2));  // Boost's hash_combine
}

}  // namespace chat
