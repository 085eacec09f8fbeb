#include "bridge/leader.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTry{1000};    // how often one that stands by tries
constexpr milliseconds kWatch{1000};  // a lost connection ends the watch at once

}  // namespace

Leader::Leader(std::unique_ptr<LeaderLock> lock, LeaderDuties duties)
    : lock_(std::move(lock)), duties_(std::move(duties)) {}

Leader::~Leader() {
  stop();
}

void Leader::start() {
  thread_ = std::thread([this] { run(); });
}

void Leader::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  lock_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void Leader::pause(milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void Leader::run() {
  auto backoff = postgres_backoff();
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
    }
    try {
      step();
      if (std::exchange(said_away_, false)) spdlog::info("PostgreSQL is back");
      backoff.reset();
      if (state_ == State::kStandby) pause(kTry);
    } catch (const std::exception& error) {
      failed(error.what());
      pause(backoff.next());
    }
  }
}

void Leader::step() {
  if (state_ == State::kLeading) return lock_->watch(kWatch);
  if (lock_->take()) {
    state_ = State::kLeading;
    said_standby_ = false;
    spdlog::info("this bridge leads");
    return duties_.lead();
  }
  if (state_ == State::kUnsure) {
    state_ = State::kStandby;
    duties_.stand_by();
  }
  if (!std::exchange(said_standby_, true)) spdlog::info("another bridge leads: standing by");
}

void Leader::failed(const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
  }
  if (!std::exchange(said_away_, true)) spdlog::warn("who leads can't be settled: {}; trying again", why);
  if (state_ != State::kLeading) return;
  state_ = State::kUnsure;
  duties_.unsure();
}

}  // namespace chat
