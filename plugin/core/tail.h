// The latest messages as they were delivered, over all conversations together, bounded in bytes. It serves devices that
// fell a little behind without asking PostgreSQL, bridges the time until a commit, and is what a routed payload is
// compared with before a subscriber gets it: only bytes that this plugin stamped pass (a last will can't pretend to be
// a message). Thread: the broker's only.
#pragma once

#include <cstdint>
#include <deque>

#include "plugin/core/byte_blocks.h"
#include "plugin/core/conversation.h"

namespace chat {

class Tail {
 public:
  static constexpr std::size_t kBytesPerMessage = 128;  // beside the message's own: the containers'

  explicit Tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ~Tail();
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  // Call after last_seq was raised to the message's seq. What `write(char* to)` writes, at most `most` bytes, of which
  // it returns the end.
  template <typename Write>
  Bytes push(Conversation& conversation, std::size_t most, Write write) {
    auto bytes = blocks_.add(most, write);
    push(conversation, bytes);
    return bytes;
  }
  // Other bytes for a message that is in the tail.
  void replace(Conversation& conversation, Seq seq, Bytes bytes);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    TailOwner* owner = nullptr;
    std::uint32_t bytes = 0;
    bool message = true;  // false: only what a message grew by when it was replaced
  };
  void push(Conversation& conversation, Bytes bytes);
  void enter(Conversation& conversation, std::size_t bytes, bool message);
  void leave(const Entry& entry);
  void shrink();
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  ByteBlocks blocks_;
  std::deque<Entry> order_;  // oldest first: each message stands for the front of its conversation's tail
};

}  // namespace chat
