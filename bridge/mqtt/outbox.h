// Answers on their way out: those that wait, and how many the broker has not acknowledged yet.
//
// Why the library's own queue is not used: beyond the number of publishes that the broker takes at once, Paho's C
// library looks only once a second whether there is room again, and beyond 100 it takes no more. Threads: one at a
// time; the link guards it with its lock.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "bridge/rpc/message.h"

namespace chat {

inline constexpr std::size_t kUnderWayMax = 16;    // unacknowledged publishes; Mosquitto's max_inflight_messages is 20
inline constexpr std::size_t kOutboxCalm = 100;    // waiting answers up to which the worker goes on producing more
inline constexpr std::size_t kOutboxMax = 10'000;  // waiting answers at all: what comes then is lost
static_assert(kUnderWayMax <= kOutboxCalm && kOutboxCalm < kOutboxMax);

class Outbox {
 public:
  // A new connection, whose broker takes `window` unacknowledged publishes at once (0 counts as 1).
  void open(std::size_t window) {
    waiting_.clear();
    under_way_ = 0;
    window_ = window == 0 ? 1 : window;
  }

  // The connection is gone: answers how many messages nobody knows to have arrived.
  std::size_t close() {
    const std::size_t lost = waiting_.size() + under_way_;
    open(1);
    return lost;
  }

  // False: full, the message was not taken.
  bool put(Outgoing message) {
    if (waiting_.size() >= kOutboxMax) return false;
    waiting_.push_back(std::move(message));
    return true;
  }

  bool can_send() const { return !waiting_.empty() && under_way_ < window_; }

  // The next message to publish; from then on it is under way. nullopt where can_send() is false.
  std::optional<Outgoing> next() {
    if (!can_send()) return std::nullopt;
    Outgoing first = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    return first;
  }

  // One that was under way was acknowledged, or has failed. A late word about an earlier connection changes nothing
  // that matters.
  void done() {
    if (under_way_ > 0) --under_way_;
  }

  bool calm() const { return waiting_.size() < kOutboxCalm; }
  bool empty() const { return waiting_.empty() && under_way_ == 0; }

 private:
  std::deque<Outgoing> waiting_;
  std::size_t under_way_ = 0;
  std::size_t window_ = 1;
};

}  // namespace chat
