#include "bridge/request_queue.h"

#include <utility>

namespace chat {
namespace {

std::size_t size_of(const Incoming& incoming) {
  return incoming.topic.size() + incoming.payload.size() +
         (incoming.response_topic ? incoming.response_topic->size() : 0) +
         (incoming.correlation ? incoming.correlation->size() : 0);
}

}  // namespace

RequestQueue::Push RequestQueue::push(Incoming&& incoming) {
  const std::size_t size = size_of(incoming);
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Push::kClosed;
    if (waiting_.size() >= limits_.requests || size > limits_.bytes - bytes_) return Push::kFull;
    waiting_.push_back(std::move(incoming));
    bytes_ += size;
  }
  changed_.notify_one();
  return Push::kTaken;
}

std::optional<Incoming> RequestQueue::pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
  if (closed_) return std::nullopt;
  Incoming first = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= size_of(first);
  return first;
}

std::deque<Incoming> RequestQueue::close() {
  std::deque<Incoming> rest;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    rest.swap(waiting_);
    bytes_ = 0;
  }
  changed_.notify_all();
  return rest;
}

}  // namespace chat
