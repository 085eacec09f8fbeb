#include "plugin/auth/expiry_book.h"

namespace chat {

void ExpiryBook::write(Connection connection, TimeMs ends_at) {
  const auto* handle = connection.handle;
  forget(handle);
  ends_.emplace(ends_at, handle);
  entries_.emplace(handle, Entry{.ends_at = ends_at, .connection = std::move(connection)});
}

void ExpiryBook::forget(const void* handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return;
  ends_.erase({found->second.ends_at, handle});
  entries_.erase(found);
}

const ExpiryBook::Connection* ExpiryBook::lasting(const void* handle, TimeMs now) const {
  const auto found = entries_.find(handle);
  return found != entries_.end() && now < found->second.ends_at ? &found->second.connection : nullptr;
}

std::vector<ExpiryBook::Connection> ExpiryBook::take_ended(TimeMs now, std::size_t most) {
  std::vector<Connection> ended;
  while (ended.size() < most && !ends_.empty() && ends_.begin()->first <= now) {
    auto entry = entries_.extract(ends_.begin()->second);
    ends_.erase(ends_.begin());
    ended.push_back(std::move(entry.mapped().connection));
  }
  return ended;
}

}  // namespace chat
