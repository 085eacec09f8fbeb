#include "plugin/core/sender_cache.h"

namespace chat {
namespace {

std::size_t cost(const RecentIds& recent) {
  return SenderCache::kBytesPerSender + recent.bytes();
}

}  // namespace

RecentIds* SenderCache::find(const std::shared_ptr<User>& user) {
  if (!user->recent) return nullptr;
  order_.splice(order_.begin(), order_, user->recent_place);
  return user->recent.get();
}

void SenderCache::insert(const std::shared_ptr<User>& user, const UserState& state) {
  if (user->recent) return;  // what is in memory is never behind the store
  user->recent = std::make_unique<RecentIds>(ids_per_sender_);
  for (const auto& message : state.recent) {
    user->recent->remember({.hash = IdHash(message.id),
                            .payload_hash = RecentIds::payload_hash(message.payload),
                            .conv_id = message.conv_id,
                            .seq = message.seq,
                            .server_time = message.server_time,
                            .mid = message.mid,
                            .any_payload = message.rewritten});
  }
  order_.push_front(user);
  user->recent_place = order_.begin();
  bytes_ += cost(*user->recent);
  shrink();
}

void SenderCache::remember(const std::shared_ptr<User>& user, const RecentId& entry) {
  bytes_ -= cost(*user->recent);
  user->recent->remember(entry);
  bytes_ += cost(*user->recent);
  shrink();
}

// The latest used one stays, whatever it costs.
void SenderCache::shrink() {
  for (auto oldest = order_.end(); bytes_ > bytes_max_ && order_.size() > 1 && --oldest != order_.begin();) {
    if ((*oldest)->pins > 0) continue;
    bytes_ -= cost(*(*oldest)->recent);
    (*oldest)->recent.reset();
    oldest = order_.erase(oldest);
  }
}

}  // namespace chat
