#include "plugin/core/tail.h"

namespace chat {

void Tail::push(const std::shared_ptr<Conversation>& conversation, Bytes bytes) {
  const auto cost = bytes->size() + kBytesPerMessage;
  conversation->tail.push_back(std::move(bytes));
  order_.push_back({.conversation = conversation, .bytes = cost});
  bytes_ += cost;
  shrink();
}

void Tail::replace(const std::shared_ptr<Conversation>& conversation, Seq seq, Bytes bytes) {
  if (conversation->in_tail(seq) == nullptr) return;
  const auto from_end = static_cast<std::size_t>(conversation->last_seq - seq) + 1;
  auto& place = conversation->tail[conversation->tail.size() - from_end];
  // A message that shrinks goes on counting as much as before, which errs on the safe side.
  const auto grown = bytes->size() > place->size() ? bytes->size() - place->size() : 0;
  place = std::move(bytes);
  if (grown == 0) return;
  order_.push_back({.conversation = conversation, .bytes = grown, .message = false});
  bytes_ += grown;
  shrink();
}

void Tail::shrink() {
  while (bytes_ > bytes_max_ && order_.size() > 1) {
    // A conversation that was forgotten meanwhile took its messages along.
    const auto owner = order_.front().conversation.lock();
    if (order_.front().message && owner && !owner->tail.empty()) owner->tail.pop_front();
    bytes_ -= order_.front().bytes;
    order_.pop_front();
  }
}

}  // namespace chat
