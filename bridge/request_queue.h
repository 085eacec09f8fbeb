// Requests that wait for the worker: bounded in number and in bytes, so that a flood costs answers and not memory.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

#include "bridge/rpc/message.h"

namespace chat {

struct QueueLimits {
  std::size_t requests = 1000;
  std::size_t bytes = 16u << 20;  // of topics, payloads and properties together
};

// Threads: any.
class RequestQueue {
 public:
  enum class Push { kTaken, kFull, kClosed };

  explicit RequestQueue(QueueLimits limits) : limits_(limits) {}

  // Moves from `incoming` only where the answer is kTaken. Never waits for the worker. A request larger than the whole
  // byte limit is kFull at once: it would never fit.
  Push push(Incoming&& incoming);

  // Waits for a request; nullopt once the queue is closed, whatever is still in it.
  std::optional<Incoming> pop();

  // Takes nothing more, and gives back what nobody popped, oldest first.
  std::deque<Incoming> close();

 private:
  const QueueLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Incoming> waiting_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace chat
