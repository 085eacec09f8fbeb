#include "bridge/standings/list_standings.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace chat {
namespace {

using std::chrono::milliseconds;

// PostgreSQL keeps notices until every listener has taken them.
constexpr milliseconds kDrainEvery{1000};

}  // namespace

ListStandings::ListStandings(std::unique_ptr<StandingCache> cache, std::unique_ptr<HeardFeed> feed, StandingLog& log,
                             std::size_t from)
    : cache_(std::move(cache)), log_(log), from_(from), feed_(std::move(feed)), draining_([this] { drain(); }) {}

ListStandings::~ListStandings() {
  stop();
}

void ListStandings::interrupt() noexcept {
  cache_->interrupt();
  feed_->interrupt();
}

void ListStandings::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  interrupt();
  if (draining_.joinable()) draining_.join();
}

void ListStandings::drain() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kDrainEvery, [this] { return stopping_; })) {
    lock.unlock();
    try {
      const std::scoped_lock feed(feed_mutex_);
      if (listening_) feed_->wait(milliseconds(0));
    } catch (const std::exception& error) {
      spdlog::debug("what changes in PostgreSQL is not heard: {}", error.what());
    }
    lock.lock();
  }
}

// False: what was committed just now may not have been heard of.
bool ListStandings::hear_all() {
  try {
    const std::scoped_lock feed(feed_mutex_);
    listening_ = true;
    feed_->so_far();
    return true;
  } catch (const StoreError& error) {
    spdlog::debug("what changes in PostgreSQL is not heard: {}", error.what());
    return false;
  }
}

std::optional<std::vector<UnreadStanding>> ListStandings::of(const std::string& user, TimeMs now) {
  if (!log_.remembers(user) || !hear_all()) return std::nullopt;
  if (auto standings = cache_->kept(user, now)) return standings;
  // Without Redis this would count everything anew for each page, and more than a page needs.
  if (!cache_->reachable()) return std::nullopt;
  return cache_->counted(user, now);
}

void ListStandings::listed(const std::string& user, std::size_t conversations) {
  if (conversations >= from_) log_.remember(user);
}

}  // namespace chat
