#include "bridge/presence/presence_mirror.h"

#include <algorithm>
#include <random>
#include <span>
#include <utility>

#include "bridge/presence/presence_text.h"

namespace chat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCommandsAtOnce = 500;

}  // namespace

PresenceMirror::PresenceMirror(std::string prefix, const PresenceBoard& board, std::unique_ptr<Redis> redis,
                               std::function<TimeMs()> now, MirrorTimes times)
    : key_(std::move(prefix) + ":presence"),
      board_(board),
      redis_(std::move(redis)),
      now_(std::move(now)),
      times_(times),
      token_(std::to_string(std::random_device{}()) + "-" + std::to_string(now_())),
      thread_([this] { run(); }) {}

PresenceMirror::~PresenceMirror() {
  stop();
}

void PresenceMirror::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  redis_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void PresenceMirror::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    // While the link is down nobody knows better than the leases, which end by themselves.
    if (board_.current()) step();
    lock.lock();
    changed_.wait_for(lock, times_.round, [this] { return stopping_; });
  }
}

void PresenceMirror::step() {
  const auto marker = redis_->run({"GET", key_});
  const bool all = all_ || !marker || marker->text != token_ || Clock::now() >= renew_at_;
  if (!marker) {
    all_ = true;  // it may come back without what it had
    return;
  }
  const auto online = board_.online(Clock::now());
  const auto lease = std::to_string(times_.lease.count());
  const TimeMs now = now_();
  std::vector<Redis::Command> commands;
  for (const auto& user : online) {
    if (!all && written_.contains(user)) continue;
    commands.push_back({"SET", key_ + ":" + user, presence_text(user, true, now), "PX", lease});
  }
  for (const auto& user : written_) {
    if (!std::binary_search(online.begin(), online.end(), user)) commands.push_back({"DEL", key_ + ":" + user});
  }
  if (all) commands.push_back({"SET", key_, token_, "PX", lease});
  if (!send(commands)) {
    all_ = true;
    written_.insert(online.begin(), online.end());
    return;
  }
  written_ = {online.begin(), online.end()};
  if (!all) return;
  all_ = false;
  renew_at_ = Clock::now() + times_.lease / 3;
}

bool PresenceMirror::send(const std::vector<Redis::Command>& commands) {
  for (std::size_t at = 0; at < commands.size(); at += kCommandsAtOnce) {
    const auto count = std::min(kCommandsAtOnce, commands.size() - at);
    if (!redis_->run(std::span(commands).subspan(at, count))) return false;
  }
  return true;
}

}  // namespace chat
