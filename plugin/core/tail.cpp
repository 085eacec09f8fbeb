#include "plugin/core/tail.h"

namespace chat {

void Tail::push(const std::shared_ptr<Conversation>& conversation, Bytes bytes) {
  const auto cost = bytes->size() + kBytesPerMessage;
  conversation->tail.push_back(std::move(bytes));
  order_.push_back({.conversation = conversation, .bytes = cost});
  bytes_ += cost;
  while (bytes_ > bytes_max_ && order_.size() > 1) {
    // A conversation that was forgotten meanwhile took its messages along.
    if (const auto owner = order_.front().conversation.lock(); owner && !owner->tail.empty()) owner->tail.pop_front();
    bytes_ -= order_.front().bytes;
    order_.pop_front();
  }
}

}  // namespace chat
