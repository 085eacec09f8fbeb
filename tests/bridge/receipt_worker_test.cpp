// Receipts are told until the broker has them all, and only then not due any more; the store is a list in memory.
#include "bridge/receipts/receipt_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "tests/support/wait.h"

namespace chat {
namespace {

class ListedReceipts : public ReceiptStore {
 public:
  std::vector<DueReceipt> due(const std::optional<MemberKey>& behind, int limit) override {
    const std::scoped_lock lock(mutex_);
    if (away_) throw StoreUnavailable("away");
    std::vector<DueReceipt> page;
    for (const auto& [key, receipt] : rows_) {
      if (behind.value_or(MemberKey{}) < key && static_cast<int>(page.size()) < limit) page.push_back(receipt);
    }
    return page;
  }
  void told(std::span<const ToldReceipt> receipts) override {
    const std::scoped_lock lock(mutex_);
    for (const auto& told : receipts) {
      const auto row = rows_.find(told.key);
      if (row != rows_.end() && row->second.delivered <= told.delivered) rows_.erase(row);
    }
  }
  bool wait(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return rung_ || interrupted_; });
    if (interrupted_) throw StoreUnavailable("interrupted");
    return std::exchange(rung_, false);
  }
  void interrupt() noexcept override {
    const std::scoped_lock lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }

  void put(const std::string& user, Seq delivered, std::vector<std::string> tell) {
    const std::scoped_lock lock(mutex_);
    rows_[{1, user}] = {{1, user}, "g:1", delivered, 0, 7, std::move(tell)};
    rung_ = true;
    changed_.notify_all();
  }
  void away(bool away) {
    const std::scoped_lock lock(mutex_);
    away_ = away;
  }
  bool empty() {
    const std::scoped_lock lock(mutex_);
    return rows_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<MemberKey, DueReceipt> rows_;
  bool rung_ = false;
  bool interrupted_ = false;
  bool away_ = false;
};

// Who publishes, and answers when the test says so.
class Publishes {
 public:
  void take(Outgoing outgoing, std::function<void(bool)> done) {
    {
      const std::scoped_lock lock(mutex_);
      all_.push_back(std::move(outgoing));
      if (!answer_) {
        waiting_.push_back(std::move(done));
        return;
      }
    }
    done(*answer_);
  }
  // From now on each publish is answered at once; nullopt: later, by release().
  void answer(std::optional<bool> arrives) {
    const std::scoped_lock lock(mutex_);
    answer_ = arrives;
  }
  void release(bool arrived) {
    std::vector<std::function<void(bool)>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      waiting.swap(waiting_);
    }
    for (const auto& done : waiting) done(arrived);
  }
  std::vector<Outgoing> all() {
    const std::scoped_lock lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::vector<Outgoing> all_;
  std::vector<std::function<void(bool)>> waiting_;
  std::optional<bool> answer_ = true;
};

class TellingReceipts : public ::testing::Test {
 protected:
  TellingReceipts() {
    auto store = std::make_unique<ListedReceipts>();
    store_ = store.get();
    worker_ = std::make_unique<ReceiptWorker>("chat", std::move(store),
                                              [this](Outgoing outgoing, std::function<void(bool)> done) {
                                                publishes_.take(std::move(outgoing), std::move(done));
                                              });
  }
  void expect_publishes(std::size_t count) {
    test::eventually(std::to_string(count) + " publishes", [&] { return publishes_.all().size() >= count; });
  }
  void expect_none_due() {
    test::eventually("nothing to be due", [&] { return store_->empty(); });
  }

  Publishes publishes_;
  ListedReceipts* store_ = nullptr;
  std::unique_ptr<ReceiptWorker> worker_;
};

TEST_F(TellingReceipts, EachSenderIsToldAndThenTheRowIsGone) {
  store_->put("bob", 3, {"alice", "carol"});
  expect_none_due();
  const auto all = publishes_.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].topic, "chat/u/alice/receipt");
  EXPECT_EQ(all[1].topic, "chat/u/carol/receipt");
  EXPECT_EQ(all[0].payload, R"({"conv":"g:1","user":"bob","delivered":3,"read":0,"at":7})");
}

TEST_F(TellingReceipts, WhatConcernsNobodyIsNotPublished) {
  store_->put("bob", 3, {});
  expect_none_due();
  EXPECT_TRUE(publishes_.all().empty());
}

TEST_F(TellingReceipts, ALostOneIsToldAgain) {
  publishes_.answer(false);
  store_->put("bob", 3, {"alice"});
  expect_publishes(2);
  EXPECT_FALSE(store_->empty());
  publishes_.answer(true);
  expect_none_due();
}

TEST_F(TellingReceipts, WhatRisesWhileOneIsUnderWayIsToldBehindIt) {
  publishes_.answer(std::nullopt);
  store_->put("bob", 3, {"alice"});
  expect_publishes(1);
  store_->put("bob", 5, {"alice"});
  publishes_.answer(true);
  publishes_.release(true);
  expect_none_due();
  const auto all = publishes_.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(all[1].payload)["delivered"], 5);
}

TEST_F(TellingReceipts, AStoreThatWasAwayIsAskedAgain) {
  store_->away(true);
  store_->put("bob", 3, {"alice"});
  store_->away(false);
  expect_none_due();
}

TEST_F(TellingReceipts, AnAnswerThatComesBehindTheEndDoesNoHarm) {
  publishes_.answer(std::nullopt);
  store_->put("bob", 3, {"alice"});
  expect_publishes(1);
  worker_.reset();
  publishes_.release(true);
}

}  // namespace
}  // namespace chat
