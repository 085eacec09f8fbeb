#include "bridge/presence/presence_worker.h"

#include <spdlog/spdlog.h>

#include <map>
#include <utility>

#include "bridge/pacing.h"
#include "bridge/presence/presence_text.h"
#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kUsersATurn = 500;
constexpr milliseconds kRound{250};        // how late the end of a deadline may be noticed
constexpr milliseconds kKeepEvery{5'000};  // how much too early "last seen" may be if the bridge is killed

}  // namespace

// What became of the publishes of one round, told by other threads.
struct PresenceWorker::Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t waiting = 0;
  bool lost = false;
};

PresenceWorker::PresenceWorker(std::string prefix, PresenceBoard& board, std::unique_ptr<PresenceStore> store,
                               Publish publish, std::function<void()> await_calm, std::function<TimeMs()> now)
    : prefix_(std::move(prefix)),
      board_(board),
      store_(std::move(store)),
      publish_(std::move(publish)),
      await_calm_(std::move(await_calm)),
      now_(std::move(now)),
      thread_([this] { run(); }) {}

PresenceWorker::~PresenceWorker() {
  stop();
}

void PresenceWorker::wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void PresenceWorker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  store_->interrupt();
  if (thread_.joinable()) thread_.join();
}

bool PresenceWorker::stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

// False: it is time to stop.
bool PresenceWorker::pause(milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void PresenceWorker::run() {
  auto backoff = postgres_backoff();
  bool away = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kRound, [this] { return woken_ || stopping_; });
      if (stopping_) return;
      woken_ = false;
    }
    try {
      step();
      if (std::exchange(away, false)) spdlog::info("presence is told again");
      backoff.reset();
    } catch (const std::exception& error) {
      if (!std::exchange(away, true)) spdlog::warn("presence waits: {}", error.what());
      if (!pause(backoff.next())) return;
    }
  }
}

void PresenceWorker::step() {
  if (!board_.ready()) board_.recall(store_->kept(), now_(), Clock::now());
  const auto news = board_.take(Clock::now(), kUsersATurn);
  if (news.empty()) {
    if (!board_.current() || Clock::now() < keep_again_) return;
  } else {
    bool told = false;
    try {
      told = tell(news.changes);
      if (told) store_->keep(news.begun, news.ended, now_());
    } catch (...) {
      board_.again(news);
      throw;
    }
    if (!told) {
      board_.again(news);
      pause(kTellAgain);
      return;
    }
    board_.done(news, Clock::now());
    keep_again_ = Clock::now() + kKeepEvery;
    wake();  // there may be more
    return;
  }
  store_->keep({}, {}, now_());
  keep_again_ = Clock::now() + kKeepEvery;
}

// True: the broker has all of it.
bool PresenceWorker::tell(const std::vector<PresenceChange>& changes) {
  if (changes.empty()) return true;
  std::map<std::string, Presence> by_user;
  std::vector<std::string> users;
  for (const auto& change : changes) {
    by_user[change.user] = change.now;
    users.push_back(change.user);
  }
  const auto answers = std::make_shared<Answers>();
  for (const auto& watch : store_->watchers(users)) {
    const auto& presence = by_user.at(watch.watched);
    {
      const std::scoped_lock lock(answers->mutex);
      if (answers->lost) return false;
      ++answers->waiting;
    }
    await_calm_();
    publish_(
        {presence_topic(prefix_, watch.user),
         presence_text(watch.watched, presence.online, presence.online ? now_() : presence.last_seen), std::nullopt},
        [answers](bool arrived) {
          const std::scoped_lock lock(answers->mutex);
          --answers->waiting;
          answers->lost = answers->lost || !arrived;
          answers->changed.notify_all();
        });
  }
  std::unique_lock lock(answers->mutex);
  while (!answers->changed.wait_for(lock, kRound, [&] { return answers->waiting == 0; })) {
    if (stopping()) return false;
  }
  return !answers->lost;
}

}  // namespace chat
