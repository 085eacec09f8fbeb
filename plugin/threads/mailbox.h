// The way from the other threads to the broker's thread, which alone may call the core and the broker.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "plugin/core/ports.h"

namespace chat {

class Mailbox {
 public:
  // `ring` is called behind each post, on the posting thread, without the lock; it must not call back into the
  // mailbox's lock.
  void on_post(std::function<void()> ring) { ring_ = std::move(ring); }

  void post(Notice notice);  // any thread; waits for nothing but a push or swap of a queue

  bool empty() const { return !posted_.load(std::memory_order_acquire); }
  std::deque<Notice> take();  // the broker's thread: everything posted so far, in order

 private:
  std::mutex mutex_;
  std::deque<Notice> notices_;
  std::atomic<bool> posted_{false};
  std::function<void()> ring_;
};

}  // namespace chat
