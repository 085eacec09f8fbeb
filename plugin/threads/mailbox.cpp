#include "plugin/threads/mailbox.h"

#include <utility>

namespace chat {

void Mailbox::post(Notice notice) {
  {
    const std::lock_guard lock(mutex_);
    notices_.push_back(std::move(notice));
    posted_.store(true, std::memory_order_release);
  }
  if (ring_) ring_();
}

std::deque<Notice> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  posted_.store(false, std::memory_order_release);
  return std::exchange(notices_, {});
}

}  // namespace chat
