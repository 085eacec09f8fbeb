// A feed that tells the log what it hears, before anybody else is told.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "bridge/standings/standing_log.h"
#include "storage/unread.h"

namespace chat {

class HeardFeed : public ActivityFeed {
 public:
  // `log` outlives it.
  HeardFeed(std::unique_ptr<ActivityFeed> feed, StandingLog& log) : feed_(std::move(feed)), log_(log) {}
  ~HeardFeed() override {
    if (state_ == State::kLost) log_.found();
  }
  HeardFeed(const HeardFeed&) = delete;
  HeardFeed& operator=(const HeardFeed&) = delete;

  Activity wait(std::chrono::milliseconds timeout) override {
    return told([&] { return feed_->wait(timeout); });
  }
  Activity so_far() override {
    return told([this] { return feed_->so_far(); });
  }
  void interrupt() noexcept override { feed_->interrupt(); }

 private:
  enum class State : std::uint8_t { kUnused, kHears, kLost };

  template <typename Hear>
  Activity told(Hear hear) {
    try {
      auto activity = hear();
      if (std::exchange(state_, State::kHears) == State::kLost) log_.found();
      log_.hear(activity);
      return activity;
    } catch (...) {
      if (state_ == State::kHears) {
        state_ = State::kLost;
        log_.lost();
      }
      throw;
    }
  }

  const std::unique_ptr<ActivityFeed> feed_;
  StandingLog& log_;
  State state_ = State::kUnused;
};

}  // namespace chat
