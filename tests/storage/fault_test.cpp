// A connection that is lost, frozen or closed at the worst moment: what was committed is known to be, and is there
// once.
//
// Method: a proxy between store and server acts at one message of the protocol; the server's log of nothing is needed,
// because the second connection goes past the proxy and looks.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

using Action = CuttingProxy::Action;

class Fault : public testing::Test {
 protected:
  Fault() {
    direct_->add_user("alice");
    conv_ = direct_->load_conversation(direct_->create_group("", "alice", {}, kNow), {}).value();
  }

  Batch batch(Position from, Position to, Seq first, Seq last) {
    Batch batch;
    batch.journal = {7};
    batch.from = from;
    batch.to = to;
    for (Seq seq = first; seq <= last; ++seq) batch.messages.push_back(message(conv_, seq, "alice", kNow));
    return batch;
  }
  std::size_t stored() {
    const PageWant want{conv_.id, 0};
    return direct_->messages_above({&want, 1}, 1000, 1 << 30).size();
  }
  // A store whose connection goes through the proxy.
  std::unique_ptr<Store> proxied() {
    const auto database = uri_.substr(14, uri_.find('?') - 14);  // postgresql:///NAME?…
    return open_postgres(server_.uri(database, proxy_.folder()), "proxied");
  }

  static constexpr TimeMs kNow = 1'750'000'000'000;
  PrivatePostgres& server_ = PrivatePostgres::shared();
  const std::string uri_ = server_.migrated_database();
  std::unique_ptr<Store> direct_ = open_postgres(uri_, "direct");
  CuttingProxy proxy_{server_.socket_path(), server_.folder() + "/proxy"};
  ConversationState conv_;
};

TEST_F(Fault, ACommitLostAfterItWasDoneIsInDoubtThenAlreadyApplied) {
  const auto store = proxied();
  proxy_.arm(CuttingProxy::commit_message(), Action::kCutAfter);
  EXPECT_THROW(store->commit(batch(0, 100, 1, 5)), StoreInDoubt);
  EXPECT_EQ(proxy_.fired(), 1);
  EXPECT_EQ(stored(), 5U);
  EXPECT_EQ(store->commit(batch(0, 100, 1, 5)), CommitResult::kAlreadyApplied);
  EXPECT_EQ(store->commit(batch(100, 200, 6, 7)), CommitResult::kApplied);
  EXPECT_EQ(stored(), 7U);
}

TEST_F(Fault, ACommitLostBeforeItWasDoneIsInDoubtThenApplied) {
  const auto store = proxied();
  proxy_.arm(CuttingProxy::commit_message(), Action::kCutBefore);
  EXPECT_THROW(store->commit(batch(0, 100, 1, 5)), StoreInDoubt);
  EXPECT_EQ(proxy_.fired(), 1);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(store->commit(batch(0, 100, 1, 5)), CommitResult::kApplied);
  EXPECT_EQ(stored(), 5U);
}

TEST_F(Fault, AFirstConnectionLostBeforeCommitIsUnavailable) {
  const auto store = proxied();
  proxy_.arm("COPY messages", Action::kCutBefore);
  EXPECT_THROW(store->commit(batch(0, 100, 1, 5)), StoreUnavailable);
  EXPECT_EQ(proxy_.fired(), 1);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(store->commit(batch(0, 100, 1, 5)), CommitResult::kApplied);
}

TEST_F(Fault, AConnectionThatWasOpenIsReplacedUnnoticedBeforeCommit) {
  const auto store = proxied();
  ASSERT_EQ(store->commit(batch(0, 100, 1, 1)), CommitResult::kApplied);
  proxy_.arm("COPY messages", Action::kCutBefore);
  EXPECT_EQ(store->commit(batch(100, 200, 2, 5)), CommitResult::kApplied);
  EXPECT_EQ(proxy_.fired(), 1);
  EXPECT_EQ(stored(), 5U);
}

TEST_F(Fault, AGroupWhoseCommitIsInDoubtIsNotMadeTwice) {
  const auto store = proxied();
  store->list_users("", 1);  // the connection is open: nothing but the COMMIT itself may be lost
  proxy_.arm(CuttingProxy::commit_message(), Action::kCutAfter);
  EXPECT_THROW(store->create_group("twice?", "alice", {}, kNow), StoreUnavailable);
  EXPECT_EQ(proxy_.fired(), 1);
  EXPECT_EQ(direct_->list_conversations("", 10).size(), 2U);
}

TEST_F(Fault, InterruptEndsACallOnAFrozenServer) {
  const auto store = proxied();
  store->list_users("", 1);
  proxy_.arm("users", Action::kFreeze);
  auto call = std::async(std::launch::async, [&] { store->list_users("alice", 1); });
  eventually("the freeze", [&] { return proxy_.fired() == 1; });
  store->interrupt();
  EXPECT_THROW(call.get(), StoreUnavailable);
  proxy_.thaw();
  EXPECT_THROW(store->list_users("", 1), StoreUnavailable);  // for good
  EXPECT_THROW(store->wait(std::chrono::milliseconds(1)), StoreUnavailable);
}

TEST_F(Fault, InterruptInsideCommitLeavesItInDoubtAndARepeatElsewhereWaitsForIt) {
  const auto store = proxied();
  proxy_.arm(CuttingProxy::commit_message(), Action::kFreeze);
  auto frozen = std::async(std::launch::async, [&] { store->commit(batch(0, 100, 1, 5)); });
  eventually("the freeze", [&] { return proxy_.fired() == 1; });
  store->interrupt();
  EXPECT_THROW(frozen.get(), StoreInDoubt);
  const auto next = open_postgres(uri_, "next");
  auto repeat = std::async(std::launch::async, [&] { return next->commit(batch(0, 100, 1, 5)); });
  eventually("the repeat waits for the first one's lock",
             [&] { return server_.number(uri_, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0; });
  proxy_.thaw();
  EXPECT_EQ(repeat.get(), CommitResult::kAlreadyApplied);
  EXPECT_EQ(stored(), 5U);
}

TEST_F(Fault, InterruptEndsAWaitForChanges) {
  const auto store = open_postgres(uri_, "waiting");
  store->wait(std::chrono::milliseconds(1));
  auto waiting = std::async(std::launch::async, [&] { store->wait(kPatience * 4); });
  store->interrupt();
  EXPECT_THROW(waiting.get(), StoreUnavailable);
}

TEST_F(Fault, BackendsKilledBetweenCallsAreNotNoticed) {
  for (Position at = 0; at < 5; ++at) {
    EXPECT_EQ(server_.number(uri_,
                             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
                             "'direct'"),
              1);
    const auto seq = static_cast<Seq>(at) + 1;
    EXPECT_EQ(direct_->commit(batch(at, at + 1, seq, seq)), CommitResult::kApplied);
  }
  EXPECT_EQ(stored(), 5U);
}

TEST_F(Fault, ThreadsWithTheSameBatchApplyItOnce) {
  std::atomic<int> applied{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const auto store = open_postgres(uri_, "one of many");
      if (store->commit(batch(0, 100, 1, 20)) == CommitResult::kApplied) ++applied;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(stored(), 20U);
}

TEST_F(Fault, ANewMonthIsMadeOnceByAllWhoNeedIt) {
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) names.push_back(direct_->create_group("", "alice", {}, kNow));
  std::vector<std::thread> threads;
  std::atomic<int> applied{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto store = open_postgres(uri_, "one of many");
      const auto conv = store->load_conversation(names[static_cast<std::size_t>(i)], {}).value();
      Batch mine;
      mine.journal = {9, static_cast<std::uint8_t>(i)};
      mine.to = 100;
      for (Seq month = 0; month < 6; ++month)
        mine.messages.push_back(message(conv, month + 1, "alice", kNow + month * 31 * 86'400'000LL));
      if (store->commit(mine) == CommitResult::kApplied) ++applied;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(applied, 4);
  EXPECT_EQ(server_.number(uri_, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass"), 6);
}

TEST_F(Fault, APartitionThatWasTakenAwayIsNamed) {
  ASSERT_EQ(direct_->commit(batch(0, 100, 1, 1)), CommitResult::kApplied);
  server_.run_sql(uri_, "ALTER TABLE messages DETACH PARTITION messages_2025_06");
  EXPECT_THROW(direct_->commit(batch(100, 200, 2, 2)), StoreUnavailable);
  try {
    direct_->commit(batch(100, 200, 2, 2));
    FAIL() << "was committed";
  } catch (const StoreCorrupt& corrupt) {
    EXPECT_NE(std::string(corrupt.what()).find("messages_2025_06"), std::string::npos) << corrupt.what();
  }
  server_.run_sql(uri_, "DROP TABLE messages_2025_06");
  EXPECT_EQ(direct_->commit(batch(100, 200, 2, 2)), CommitResult::kApplied);
}

TEST_F(Fault, WhatAPersonCanPutRightIsUnavailableUntilThen) {
  server_.run_sql(uri_, "ALTER TABLE commands RENAME TO elsewhere");
  auto one = batch(0, 100, 1, 1);
  one.commands = {{1, conv_.id, "recall", "alice", "phone", kNow, "{}"}};
  EXPECT_THROW(direct_->commit(one), StoreUnavailable);
  server_.run_sql(uri_, "ALTER TABLE elsewhere RENAME TO commands");
  EXPECT_EQ(direct_->commit(one), CommitResult::kApplied);
}

TEST_F(Fault, AValueThatPostgresqlCannotTakeIsCorrupt) {
  auto one = batch(0, 100, 1, 1);
  one.messages[0].payload = "{\"body\":\"\xff\"}";
  EXPECT_THROW(direct_->commit(one), StoreCorrupt);
  EXPECT_EQ(direct_->checkpoint({7}), std::nullopt);
}

// A server of its own: the others go on with theirs.
TEST(Restart, StoresComeBackByThemselves) {
  PrivatePostgres server;
  const auto uri = server.migrated_database();
  const auto store = open_postgres(uri, "restart");
  store->add_user("alice");
  const auto everything = [](const std::vector<Change>& changes) {
    return changes.size() == 1 && changes[0].kind == Change::Kind::kEverything;
  };
  EXPECT_TRUE(everything(store->wait(std::chrono::milliseconds(1))));
  server.stop();
  EXPECT_THROW(store->add_user("bob"), StoreUnavailable);
  EXPECT_THROW(store->add_user("bob"), StoreUnavailable);
  EXPECT_THROW(store->wait(kPatience), StoreUnavailable);
  EXPECT_THROW(store->wait(kPatience), StoreUnavailable);
  server.start();
  EXPECT_NO_THROW(store->add_user("bob"));
  EXPECT_TRUE(everything(store->wait(std::chrono::milliseconds(1))));
  store->set_device("bob", "phone", {.replay = Replay::kNewest, .replay_limit = {}, .ack = {}});
  EXPECT_EQ(store->wait(kPatience).at(0).name, "bob");
}

}  // namespace
}  // namespace chat::test
