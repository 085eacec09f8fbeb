// The latest messages as they were delivered, over all conversations together, bounded in bytes. It serves devices that
// fell a little behind without asking PostgreSQL, bridges the time until a commit, and is what a routed payload is
// compared with before a subscriber gets it: only bytes that this plugin stamped pass (a last will can't pretend to be
// a message). Thread: the broker's only.
#pragma once

#include <deque>
#include <memory>

#include "plugin/core/conversation.h"

namespace chat {

class Tail {
 public:
  static constexpr std::size_t kBytesPerMessage = 128;  // beside the message's own: the containers'

  explicit Tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Call after last_seq was raised to the message's seq.
  void push(const std::shared_ptr<Conversation>& conversation, Bytes bytes);
  // Other bytes for a message that is in the tail.
  void replace(const std::shared_ptr<Conversation>& conversation, Seq seq, Bytes bytes);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::weak_ptr<Conversation> conversation;
    std::size_t bytes = 0;
    bool message = true;  // false: only what a message grew by when it was replaced
  };
  void shrink();
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::deque<Entry> order_;  // oldest first: each message stands for the front of its conversation's tail
};

}  // namespace chat
