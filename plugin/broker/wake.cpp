#include "plugin/broker/wake.h"

#include <chrono>
#include <csignal>

namespace chat {
namespace {

// Not SIGRTMIN itself: Mosquitto 2.1 rotates its log on that.
int wake_signal() {
  return SIGRTMIN + 5;
}

constexpr std::uint64_t kTicksToSee = 2;  // the one that drains, and one more
constexpr std::chrono::milliseconds kRepeat{1};
constexpr int kRepeatsMax = 300;  // then the broker's own 100 ms tick has come round in any case

}  // namespace

Wake::Wake() : broker_thread_(pthread_self()) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;  // other system calls of the broker go on as if nothing had been
  sigemptyset(&action.sa_mask);
  sigaction(wake_signal(), &action, nullptr);
}

Wake::~Wake() {
  stop();
}

void Wake::start() {
  worker_.start("chat-wake", [this] { run(); });
}

void Wake::stop() {
  worker_.stop([this] {
    { const std::lock_guard lock(mutex_); }
    rung_.notify_one();
  });
}

void Wake::ring() {
  {
    const std::lock_guard lock(mutex_);
    pending_ = true;
  }
  rung_.notify_one();
}

void Wake::ticked() {
  ticks_.fetch_add(1, std::memory_order_release);
}

void Wake::run() {
  while (!worker_.stopping()) {
    {
      std::unique_lock lock(mutex_);
      rung_.wait(lock, [this] { return pending_ || worker_.stopping(); });
      pending_ = false;
    }
    const auto before = ticks_.load(std::memory_order_acquire);
    for (int i = 0; i < kRepeatsMax && !worker_.stopping(); ++i) {
      if (ticks_.load(std::memory_order_acquire) - before >= kTicksToSee) break;
      pthread_kill(broker_thread_, wake_signal());
      if (!worker_.sleep(kRepeat)) return;
    }
  }
}

}  // namespace chat
