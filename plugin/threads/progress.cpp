#include "plugin/threads/progress.h"

namespace chat {

void Progress::advance(Position committed) {
  committed_.store(committed, std::memory_order_release);
  for (const auto& listener : listeners_) listener();
}

void Progress::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  hurried_.notify_one();
}

void Progress::gather(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  hurried_.wait_for(lock, longest, [this] { return hurry_; });
  hurry_ = false;
}

}  // namespace chat
