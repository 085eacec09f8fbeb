#include "bridge/unread/unread_worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "bridge/unread/digest.h"
#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kListen{60'000};    // at a time; stop() interrupts it
constexpr milliseconds kClockCheck{1000};  // what expires does so by the wall clock, which may be set

}  // namespace

UnreadWorker::UnreadWorker(Surroundings surroundings)
    : around_(std::move(surroundings)), listening_([this] { listen(); }), working_([this] { work(); }) {}

UnreadWorker::~UnreadWorker() {
  stop();
}

void UnreadWorker::hear(SessionSignals signals) {
  put(std::move(signals));
}

void UnreadWorker::put(News news) {
  {
    const std::scoped_lock lock(mutex_);
    heard_.push_back(std::move(news));
  }
  changed_.notify_all();
}

void UnreadWorker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  around_.feed->interrupt();
  around_.store->interrupt();
  if (listening_.joinable()) listening_.join();
  if (working_.joinable()) working_.join();
}

bool UnreadWorker::pause_for(milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void UnreadWorker::listen() {
  auto backoff = postgres_backoff();
  do {
    try {
      for (;;) {
        auto activity = around_.feed->wait(kListen);
        backoff.reset();
        if (!activity.empty()) put(std::move(activity));
      }
    } catch (const std::exception& error) {
      spdlog::debug("what changes in PostgreSQL is not heard: {}", error.what());
    }
  } while (pause_for(backoff.next()));
}

void UnreadWorker::work() {
  auto backoff = postgres_backoff();
  bool away = false;
  while (await_work()) {
    try {
      ask();
      if (std::exchange(away, false)) spdlog::info("unread counts are pushed again");
      backoff.reset();
    } catch (const std::exception& error) {
      if (!std::exchange(away, true)) spdlog::warn("unread counts wait: {}", error.what());
      if (!pause_for(backoff.next())) return;
    }
  }
}

bool UnreadWorker::await_work() {
  std::vector<News> heard;
  {
    std::unique_lock lock(mutex_);
    auto until = Clock::now() + kListen;
    if (const auto next = board_.next_question()) until = std::min(until, *next);
    if (const auto expiry = board_.next_expiry()) {
      const milliseconds left(std::max<TimeMs>(0, *expiry - around_.now()));
      until = std::min(until, Clock::now() + std::min(left, kClockCheck));
    }
    changed_.wait_until(lock, until, [this] { return stopping_ || !heard_.empty(); });
    if (stopping_) return false;
    heard.swap(heard_);
  }
  const auto now = Clock::now();
  for (const auto& news : heard) {
    std::visit([&](const auto& one) { board_.hear(one, now); }, news);
  }
  board_.expire(around_.now(), now);
  return true;
}

void UnreadWorker::ask() {
  const auto questions = board_.questions(Clock::now());
  if (!questions.members.empty()) {
    const auto standings = around_.store->of_members(questions.members, around_.now());
    for (const auto& news : board_.answer(standings, Clock::now())) tell(news);
  }
  for (const auto& user : questions.users) {
    const auto standings = around_.store->of_user(user, around_.now());
    if (const auto news = board_.answer(user, standings, Clock::now())) tell(*news);
  }
}

void UnreadWorker::tell(const UnreadNews& news) {
  for (auto& publish : unread_publishes(around_.prefix, news)) around_.publish(std::move(publish));
}

}  // namespace chat
