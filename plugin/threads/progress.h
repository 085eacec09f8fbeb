// How far the journal is committed in PostgreSQL, and who waits for it: what makes a load see everything that was
// journaled before it was asked for.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "storage/types.h"

namespace chat {

class Progress {
 public:
  // Everything below `committed` is in PostgreSQL. The persister's thread.
  void advance(Position committed);
  Position committed() const { return committed_.load(std::memory_order_acquire); }
  bool reached(Position barrier) const { return committed() >= barrier; }

  // `listener` is called behind each advance(), on the persister's thread. Before the threads start.
  void on_advance(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

  // Somebody waits: the persister commits what it has without gathering more. Any thread.
  void hurry();
  // Waits that long, or until hurry(). The persister's thread.
  void gather(std::chrono::milliseconds longest);

 private:
  std::atomic<Position> committed_{0};
  std::vector<std::function<void()>> listeners_;
  std::mutex mutex_;
  std::condition_variable hurried_;
  bool hurry_ = false;
};

}  // namespace chat
