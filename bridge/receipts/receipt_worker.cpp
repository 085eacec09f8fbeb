#include "bridge/receipts/receipt_worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bridge/pacing.h"
#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kReceiptsAtOnce = 200;  // read at once

std::string payload_of(const DueReceipt& receipt) {
  const nlohmann::ordered_json payload{{"conv", receipt.conv},
                                       {"user", receipt.key.user},
                                       {"delivered", receipt.delivered},
                                       {"read", receipt.read},
                                       {"at", receipt.at}};
  return payload.dump();
}

}  // namespace

ReceiptWorker::ReceiptWorker(std::string prefix, std::unique_ptr<ReceiptStore> store, Publish publish)
    : prefix_(std::move(prefix)), store_(std::move(store)), publish_(std::move(publish)), thread_([this] { run(); }) {}

ReceiptWorker::~ReceiptWorker() {
  stop();
}

void ReceiptWorker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  store_->interrupt();
  if (thread_.joinable()) thread_.join();
}

bool ReceiptWorker::stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

void ReceiptWorker::pause_for(milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return stopping_; });
}

// How long to wait for a notice.
milliseconds ReceiptWorker::patience() const {
  auto wait = kPoll;
  if (under_way_ > 0 || behind_) wait = kAnswersSoon;
  if (!due_ || behind_) return wait;
  const auto left = std::chrono::ceil<milliseconds>(next_round_ - Clock::now());
  return std::clamp(left, milliseconds(0), wait);
}

void ReceiptWorker::run() {
  auto backoff = postgres_backoff();
  bool away = false;
  while (!stopping()) {
    try {
      hear_answers();
      tell_some();
      if (std::exchange(away, false)) spdlog::info("receipts are told again");
      backoff.reset();
      const auto wait = patience();
      const auto end = Clock::now() + wait;
      if (wait > milliseconds(0)) due_ = store_->wait(wait) || due_;
      // The net: whatever a notice was missed of is looked for.
      due_ = due_ || (wait == kPoll && Clock::now() >= end);
    } catch (const std::exception& error) {
      if (stopping()) return;
      due_ = true;
      if (!std::exchange(away, true)) spdlog::warn("receipts wait: {}", error.what());
      pause_for(backoff.next());
    }
  }
}

void ReceiptWorker::hear_answers() {
  {
    const std::scoped_lock lock(tellings_->mutex);
    for (auto it = tellings_->all.begin(); it != tellings_->all.end();) {
      const auto& [key, telling] = *it;
      if (telling.unanswered > 0) {
        ++it;
        continue;
      }
      if (telling.lost) {
        due_ = true;
        behind_.reset();
        next_round_ = std::max(next_round_, Clock::now() + kTellAgain);
      } else {
        told_.push_back({key, telling.delivered, telling.read});
      }
      it = tellings_->all.erase(it);
    }
    under_way_ = tellings_->all.size();
  }
  if (told_.empty()) return;
  store_->told(told_);
  told_.clear();
}

// A round goes over all that is due; one that meets too many publishes under way is gone on with later.
void ReceiptWorker::tell_some() {
  if (!behind_) {
    if (!due_ || Clock::now() < next_round_) return;
    due_ = false;
    next_round_ = Clock::now() + kTellReceiptsEvery;
    behind_ = MemberKey{};
  }
  while (behind_ && under_way_ < kUnderWayLow && !stopping()) {
    const auto receipts = store_->due(behind_, kReceiptsAtOnce);
    for (const auto& receipt : receipts) tell(receipt);
    if (receipts.size() < static_cast<std::size_t>(kReceiptsAtOnce)) {
      behind_.reset();
    } else {
      behind_ = receipts.back().key;
    }
    hear_answers();
  }
}

void ReceiptWorker::tell(const DueReceipt& receipt) {
  {
    const std::scoped_lock lock(tellings_->mutex);
    const Telling telling{receipt.delivered, receipt.read, receipt.tell.size(), false};
    const auto [place, fresh] = tellings_->all.try_emplace(receipt.key, telling);
    if (!fresh) {  // an earlier one is on its way; the next round tells this one, if it says more
      due_ = due_ || place->second.delivered != receipt.delivered || place->second.read != receipt.read;
      return;
    }
    ++under_way_;
  }
  const auto payload = payload_of(receipt);
  for (const auto& user : receipt.tell) {
    publish_({prefix_ + "/u/" + user + "/receipt", payload, std::nullopt},
             [tellings = tellings_, key = receipt.key](bool arrived) {
               const std::scoped_lock lock(tellings->mutex);
               auto& telling = tellings->all.at(key);
               --telling.unanswered;
               telling.lost = telling.lost || !arrived;
             });
  }
}

}  // namespace chat
