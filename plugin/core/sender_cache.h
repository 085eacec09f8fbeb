// Which users' recent ids are in memory, the least recently used forgotten beyond a bound of bytes. A user whose ids
// are not in memory has them loaded, behind a barrier, before its next message is admitted. Thread: the broker's only.
#pragma once

#include <list>
#include <memory>

#include "plugin/core/directory.h"

namespace chat {

class SenderCache {
 public:
  static constexpr std::size_t kBytesPerSender =
      sizeof(User) + sizeof(RecentIds) + 128;  // its places in the list and in the index

  SenderCache(std::size_t bytes_max, std::size_t ids_per_sender)
      : bytes_max_(bytes_max), ids_per_sender_(ids_per_sender) {}

  // Null: not in memory. Counts as a use.
  RecentIds* find(const std::shared_ptr<User>& user);
  void insert(const std::shared_ptr<User>& user, const UserState& state);
  void remember(const std::shared_ptr<User>& user, const RecentId& entry);

  std::size_t ids_per_sender() const { return ids_per_sender_; }
  std::size_t size() const { return order_.size(); }

 private:
  void shrink();

  std::size_t bytes_max_;
  std::size_t ids_per_sender_;
  std::size_t bytes_ = 0;
  std::list<std::shared_ptr<User>> order_;  // the latest used first
};

}  // namespace chat
