// How long to wait before PostgreSQL is tried again: doubling, with jitter, so that many brokers do not come back in
// step. Full jitter as described by M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), with a
// floor.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace chat {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kMost{3000};

  std::chrono::milliseconds next() {
    std::uniform_int_distribution<std::chrono::milliseconds::rep> chance(current_.count() / 2, current_.count());
    const std::chrono::milliseconds wait(chance(random_));
    current_ = std::min(current_ * 2, kMost);
    return wait;
  }
  void reset() { current_ = kFirst; }

 private:
  std::chrono::milliseconds current_ = kFirst;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace chat
