// How long to wait before the next attempt: doubling up to a bound, with jitter, so that a thousand programs that lost
// the same server don't come back in the same instant. Full jitter as described by M. Brooker, "Exponential Backoff And
// Jitter" (AWS Architecture Blog, 2015), with a floor.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace chat {

class Backoff {
 public:
  using Duration = std::chrono::milliseconds;

  // `first` is positive and not above `longest`. The same seed gives the same waits.
  Backoff(Duration first, Duration longest, std::uint64_t seed)
      : first_(first), longest_(longest), next_(first), chance_(seed) {}

  // Between half and all of the present step, both included; the step doubles for the next call.
  Duration next() {
    const Duration step = next_;
    next_ = std::min(step * 2, longest_);
    return Duration(std::uniform_int_distribution<Duration::rep>(step.count() / 2, step.count())(chance_));
  }

  void reset() { next_ = first_; }

 private:
  const Duration first_;
  const Duration longest_;
  Duration next_;
  std::mt19937_64 chance_;
};

// Before PostgreSQL is tried again. Its bound is short enough for a bridge to take over within 5 s.
inline Backoff postgres_backoff() {
  return {std::chrono::milliseconds(100), std::chrono::milliseconds(2000), std::random_device{}()};
}

}  // namespace chat
