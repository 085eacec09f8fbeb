// The twin's faults: what other tests rely on when they break things on purpose.
#include "storage/memory/memory_store.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/storage/both_stores.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

class Twin : public testing::Test {
 protected:
  Twin() {
    store_.add_user("alice");
    conv_ = store_.load_conversation(store_.create_group("", "alice", {}, 1), {}).value();
  }
  Batch batch() {
    Batch batch;
    batch.to = 10;
    batch.messages = {message(conv_, 1, "alice", 5)};
    return batch;
  }
  MemoryStore store_;
  ConversationState conv_;
};

TEST_F(Twin, FailsAsManyCallsAsOrdered) {
  store_.fail_next(MemoryStore::Fault::kUnavailable, 2);
  EXPECT_THROW(store_.status(), StoreUnavailable);
  EXPECT_THROW(store_.commit(batch()), StoreUnavailable);
  EXPECT_EQ(store_.commit(batch()), CommitResult::kApplied);
  store_.fail_next(MemoryStore::Fault::kCorrupt);
  EXPECT_THROW(store_.status(), StoreCorrupt);
  EXPECT_NO_THROW(store_.status());
}

TEST_F(Twin, FaultsOfCommitsWaitForACommit) {
  store_.fail_next_commit(MemoryStore::Fault::kInDoubtNotDone);
  store_.fail_next_commit(MemoryStore::Fault::kInDoubtDone);
  EXPECT_NO_THROW(store_.status());
  EXPECT_THROW(store_.commit(batch()), StoreInDoubt);
  EXPECT_TRUE(store_.messages(conv_.name).empty());
  EXPECT_THROW(store_.commit(batch()), StoreInDoubt);
  EXPECT_EQ(store_.messages(conv_.name).size(), 1U);
  EXPECT_EQ(store_.commits(), 1);
  EXPECT_EQ(store_.commit(batch()), CommitResult::kAlreadyApplied);
}

TEST_F(Twin, ComesBackAndSaysThatEverythingMayHaveChanged) {
  store_.wait(std::chrono::milliseconds(0));
  store_.set_available(false);
  EXPECT_THROW(store_.status(), StoreUnavailable);
  EXPECT_THROW(store_.wait(kPatience), StoreUnavailable);
  store_.set_available(true);
  EXPECT_NO_THROW(store_.status());
  EXPECT_EQ(store_.wait(std::chrono::milliseconds(0)).at(0).kind, Change::Kind::kEverything);
}

TEST_F(Twin, InterruptEndsASlowCallAndAWait) {
  store_.wait(std::chrono::milliseconds(0));
  store_.set_delay(kPatience * 4);
  auto slow = std::async(std::launch::async, [&] { store_.status(); });
  auto waiting = std::async(std::launch::async, [&] { store_.wait(kPatience * 4); });
  store_.interrupt();
  EXPECT_THROW(slow.get(), StoreUnavailable);
  EXPECT_THROW(waiting.get(), StoreUnavailable);
  store_.set_delay(std::chrono::milliseconds(0));
  EXPECT_THROW(store_.status(), StoreUnavailable);
  store_.clear_interrupt();
  EXPECT_NO_THROW(store_.status());
}

TEST_F(Twin, ShowsWhatIsInIt) {
  auto one = batch();
  one.cursors = {{conv_.id, "alice", "phone", 1, 1, 0, 5}};
  one.commands = {{3, conv_.id, "react", "alice", "phone", 5, "{}"}};
  store_.commit(one);
  EXPECT_EQ(store_.cursor("alice", "phone", conv_.name), (std::pair<Seq, Rev>{1, 1}));
  EXPECT_EQ(store_.cursor("alice", "tablet", conv_.name), std::nullopt);
  EXPECT_EQ(store_.commands(), one.commands);
  EXPECT_TRUE(store_.messages("g:none").empty());
}

}  // namespace
}  // namespace chat::test
