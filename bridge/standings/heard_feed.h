// A feed that tells the log what it hears, before anybody else is told.
#pragma once

#include <memory>
#include <utility>

#include "bridge/standings/standing_log.h"
#include "storage/unread.h"

namespace chat {

class HeardFeed : public ActivityFeed {
 public:
  // `log` outlives it.
  HeardFeed(std::unique_ptr<ActivityFeed> feed, StandingLog& log) : feed_(std::move(feed)), log_(log) {}

  Activity wait(std::chrono::milliseconds timeout) override { return told(feed_->wait(timeout)); }
  Activity so_far() override { return told(feed_->so_far()); }
  void interrupt() noexcept override { feed_->interrupt(); }

 private:
  Activity told(Activity activity) {
    log_.hear(activity);
    return activity;
  }

  const std::unique_ptr<ActivityFeed> feed_;
  StandingLog& log_;
};

}  // namespace chat
