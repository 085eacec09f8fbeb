#include "plugin/core/tail.h"

#include <algorithm>

namespace chat {
namespace {

constexpr std::size_t kShrunkAtOnce = 64 << 10;  // bytes

}  // namespace

void Tail::push(const std::shared_ptr<Conversation>& conversation, Bytes bytes) {
  const auto cost = bytes.size() + kBytesPerMessage;
  conversation->tail.push_back(std::move(bytes));
  order_.push_back({.conversation = conversation, .bytes = static_cast<std::uint32_t>(cost)});
  bytes_ += cost;
  shrink();
}

void Tail::replace(const std::shared_ptr<Conversation>& conversation, Seq seq, Bytes bytes) {
  if (conversation->in_tail(seq) == nullptr) return;
  const auto from_end = static_cast<std::size_t>(conversation->last_seq - seq) + 1;
  auto& place = conversation->tail[conversation->tail.size() - from_end];
  // What is replaced in a block stays there until the block goes. A message that shrinks goes on counting as much as
  // before, which errs on the safe side.
  const auto had = place.in_block() ? 0 : place.size();
  const auto grown = bytes.size() > had ? bytes.size() - had : 0;
  place = std::move(bytes);
  if (grown == 0) return;
  order_.push_back({.conversation = conversation, .bytes = static_cast<std::uint32_t>(grown), .message = false});
  bytes_ += grown;
  shrink();
}

void Tail::shrink() {
  if (bytes_ <= bytes_max_) return;
  // Many at once: what is the oldest lies together and has long left the processor's caches, so it is read in one go.
  const auto enough = bytes_max_ - std::min(kShrunkAtOnce, bytes_max_ / 16);
  while (bytes_ > enough && order_.size() > 1) {
    // A conversation that was forgotten meanwhile took its messages along.
    const auto owner = order_.front().conversation.lock();
    if (order_.front().message && owner && !owner->tail.empty()) owner->tail.pop_front();
    bytes_ -= order_.front().bytes;
    order_.pop_front();
  }
}

}  // namespace chat
