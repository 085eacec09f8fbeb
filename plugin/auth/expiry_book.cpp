#include "plugin/auth/expiry_book.h"

namespace chat {

void ExpiryBook::write(Ended connection, TimeMs ends_at) {
  forget(connection.handle);
  ends_.emplace(ends_at, connection.handle);
  entries_.emplace(
      connection.handle,
      Entry{.ends_at = ends_at, .device = std::move(connection.device), .user = std::move(connection.user)});
}

void ExpiryBook::forget(const void* handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return;
  ends_.erase({found->second.ends_at, handle});
  entries_.erase(found);
}

std::vector<ExpiryBook::Ended> ExpiryBook::take_ended(TimeMs now, std::size_t most) {
  std::vector<Ended> ended;
  while (ended.size() < most && !ends_.empty() && ends_.begin()->first <= now) {
    const auto* handle = ends_.begin()->second;
    auto entry = entries_.extract(handle);
    ends_.erase(ends_.begin());
    ended.push_back(
        {.handle = handle, .device = std::move(entry.mapped().device), .user = std::move(entry.mapped().user)});
  }
  return ended;
}

}  // namespace chat
