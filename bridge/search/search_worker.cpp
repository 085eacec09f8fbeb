#include "bridge/search/search_worker.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "bridge/pacing.h"
#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Behind a burst it rests for so many times as long as it worked: storing messages goes before finding them, and shares
// its processors. Without a rest a broker at full load took a fifth fewer (bench/run, "everything stored").
constexpr int kRest = 3;

}  // namespace

SearchWorker::SearchWorker(std::unique_ptr<SearchIndex> index) : index_(std::move(index)), thread_([this] { run(); }) {}

SearchWorker::~SearchWorker() {
  stop();
}

void SearchWorker::resume() {
  {
    const std::scoped_lock lock(mutex_);
    leading_ = true;
  }
  changed_.notify_all();
}

void SearchWorker::pause() {
  const std::scoped_lock lock(mutex_);
  leading_ = false;
}

void SearchWorker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  index_->interrupt();
  if (thread_.joinable()) thread_.join();
}

bool SearchWorker::working() {
  const std::scoped_lock lock(mutex_);
  return leading_ && !stopping_;
}

void SearchWorker::pause_for(milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void SearchWorker::run() {
  auto backoff = postgres_backoff();
  bool away = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return leading_ || stopping_; });
      if (stopping_) return;
    }
    try {
      const auto began = Clock::now();
      const bool more = index_->index_some();
      if (std::exchange(away, false)) spdlog::info("messages are made searchable again");
      backoff.reset();
      if (more) {
        pause_for(std::chrono::ceil<milliseconds>((Clock::now() - began) * kRest));
      } else {
        index_->wait(kPoll);
      }
    } catch (const std::exception& error) {
      if (!working()) continue;
      if (!std::exchange(away, true)) spdlog::warn("new messages can't be found yet: {}", error.what());
      pause_for(backoff.next());
    }
  }
}

}  // namespace chat
