// epoll and a timer, as little as this needs.
#pragma once

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace chat::load {

using Nanoseconds = std::int64_t;

// Of the monotonic clock.
inline Nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr Nanoseconds kMillisecond = 1'000'000;

class Poller {
 public:
  Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  ~Poller() { close(descriptor_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int descriptor, std::uint32_t index) {
    epoll_event event{.events = EPOLLIN, .data = {.u32 = index}};
    if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }

  // Calls on_ready(index) for what can be read, waiting for it until `until` at most.
  template <typename OnReady>
  void wait(Nanoseconds until, OnReady on_ready) {
    const auto left = until - now();
    const timespec patience{.tv_sec = left > 0 ? left / kSecond : 0, .tv_nsec = left > 0 ? left % kSecond : 0};
    const int count = epoll_pwait2(descriptor_, events_.data(), static_cast<int>(events_.size()), &patience, nullptr);
    for (int i = 0; i < count; ++i) on_ready(events_[static_cast<std::size_t>(i)].data.u32);
  }

 private:
  int descriptor_;
  std::array<epoll_event, 128> events_{};
};

}  // namespace chat::load
