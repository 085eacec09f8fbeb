#include "plugin/core/tail.h"

#include <algorithm>

namespace chat {
namespace {

constexpr std::size_t kShrunkAtOnce = 64 << 10;  // bytes

}  // namespace

Tail::~Tail() {
  for (const auto& entry : order_) leave(entry);
}

void Tail::push(Conversation& conversation, Bytes bytes) {
  const auto cost = bytes.size() + kBytesPerMessage;
  conversation.tail.push_back(std::move(bytes));
  enter(conversation, cost, true);
}

void Tail::replace(Conversation& conversation, Seq seq, Bytes bytes) {
  if (conversation.in_tail(seq) == nullptr) return;
  const auto from_end = static_cast<std::size_t>(conversation.last_seq - seq) + 1;
  auto& place = conversation.tail[conversation.tail.size() - from_end];
  // What is replaced in a block stays there until the block goes. A message that shrinks goes on counting as much as
  // before, which errs on the safe side.
  const auto had = place.in_block() ? 0 : place.size();
  const auto grown = bytes.size() > had ? bytes.size() - had : 0;
  place = std::move(bytes);
  if (grown > 0) enter(conversation, grown, false);
}

void Tail::enter(Conversation& conversation, std::size_t bytes, bool message) {
  if (conversation.tail_owner == nullptr) conversation.tail_owner.reset(new TailOwner{.conversation = &conversation});
  order_.push_back(
      {.owner = conversation.tail_owner.get(), .bytes = static_cast<std::uint32_t>(bytes), .message = message});
  ++conversation.tail_owner->entries;
  bytes_ += bytes;
  shrink();
}

// The last entry of a conversation that is gone takes its owner along.
void Tail::leave(const Entry& entry) {
  if (--entry.owner->entries == 0 && entry.owner->conversation == nullptr) delete entry.owner;
}

void Tail::shrink() {
  if (bytes_ <= bytes_max_) return;
  // Many at once: what is the oldest lies together and has long left the processor's caches, so it is read in one go.
  const auto enough = bytes_max_ - std::min(kShrunkAtOnce, bytes_max_ / 16);
  while (bytes_ > enough && order_.size() > 1) {
    const auto& oldest = order_.front();
    // A conversation that was forgotten meanwhile took its messages along.
    auto* owner = oldest.owner->conversation;
    if (oldest.message && owner != nullptr && !owner->tail.empty()) owner->tail.pop_front();
    bytes_ -= oldest.bytes;
    leave(oldest);
    order_.pop_front();
  }
}

}  // namespace chat
