// Receipts: who is to be told of what, once, and that nothing which rises meanwhile is lost.
#include "storage/receipts.h"

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "storage/store.h"
#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr TimeMs kNow = 1'750'000'000'000;

class ReceiptsDue : public testing::Test {
 protected:
  ReceiptsDue() : uri_(server_.migrated_database()), store_(open_postgres(uri_, "test")) {
    for (const auto* name : {"alice", "bob", "carol", "dave"}) store_->add_user(name);
    receipts_ = open_receipt_store(uri_, "test");
  }

  ConversationState group(const std::vector<std::string>& others) {
    return store_->find_conversation(store_->create_group("", "alice", others, kNow)).value();
  }
  void commit(Batch batch) {
    batch.journal = kJournal;
    batch.from = position_;
    batch.to = position_ += 100;
    batch.receipt_push_members = members_max_;
    ASSERT_EQ(store_->commit(batch), CommitResult::kApplied);
  }
  void send(const ConversationState& conv, const std::vector<std::string>& senders) {
    Batch batch;
    Seq seq = store_->find_conversation(conv.name)->last_seq;
    for (const auto& sender : senders) batch.messages.push_back(message(conv, ++seq, sender, kNow));
    commit(std::move(batch));
  }
  void acknowledge(const ConversationState& conv, const std::string& user, Seq delivered, Seq read = 0,
                   const std::string& device = "phone", TimeMs at = kNow) {
    store_->open_device(user, device);
    commit({.cursors = {{conv.id, user, device, delivered, 0, read, at}}});
  }
  std::vector<DueReceipt> due() { return receipts_->due(std::nullopt, 100); }
  // The only one that is due, as a line.
  std::string only() {
    const auto all = due();
    EXPECT_EQ(all.size(), 1U);
    if (all.empty()) return "";
    std::string line = all[0].key.user + " " + std::to_string(all[0].delivered) + " " + std::to_string(all[0].read);
    for (const auto& user : all[0].tell) line += " " + user;
    return line;
  }
  void tell(const DueReceipt& receipt) {
    const ToldReceipt told{receipt.key, receipt.delivered, receipt.read};
    receipts_->told(std::span(&told, 1));
  }

  PrivatePostgres& server_ = PrivatePostgres::shared();
  std::string uri_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ReceiptStore> receipts_;
  Position position_ = 64;
  int members_max_ = 3;
};

TEST_F(ReceiptsDue, TheSendersAboveWhatWasToldAreTold) {
  const auto conv = group({"bob", "carol"});
  send(conv, {"alice", "carol", "alice", "bob"});
  acknowledge(conv, "bob", 1);
  EXPECT_EQ(only(), "bob 1 0 alice carol");
  tell(due()[0]);
  EXPECT_TRUE(due().empty());
  acknowledge(conv, "bob", 4, 2, "phone", kNow + 7);
  EXPECT_EQ(only(), "bob 4 2 alice carol") << "neither has been told of having been read";
  EXPECT_EQ(due()[0].at, kNow + 7);
  EXPECT_EQ(due()[0].conv, conv.name);
  tell(due()[0]);
  acknowledge(conv, "bob", 4, 3);
  EXPECT_EQ(only(), "bob 4 3 alice");
  EXPECT_EQ(server_.number(uri_, "SELECT read_at FROM members WHERE user_name = 'bob'"), kNow + 7);
}

TEST_F(ReceiptsDue, WhatDoesNotRiseIsNotDue) {
  const auto conv = group({"bob"});
  send(conv, {"alice", "alice"});
  acknowledge(conv, "bob", 2, 1);
  tell(due()[0]);
  acknowledge(conv, "bob", 2, 1);
  acknowledge(conv, "bob", 1, 0, "tablet");
  acknowledge(conv, "bob", 99, 0);
  EXPECT_TRUE(due().empty()) << "another device that comes later, or a cursor above the end, is no news";
}

TEST_F(ReceiptsDue, OnesOwnMessagesConcernNobodyElse) {
  const auto conv = group({"bob"});
  send(conv, {"alice", "alice"});
  acknowledge(conv, "alice", 2, 2);
  EXPECT_TRUE(due().empty());
}

TEST_F(ReceiptsDue, InALargeGroupNobodyIsToldUntilItIsSmallAgain) {
  const auto conv = group({"bob", "carol", "dave"});
  send(conv, {"alice", "alice"});
  acknowledge(conv, "bob", 1);
  EXPECT_TRUE(due().empty());
  store_->remove_member(conv.name, "dave", "", kNow);
  acknowledge(conv, "bob", 2);
  EXPECT_EQ(only(), "bob 2 0 alice");
}

TEST_F(ReceiptsDue, ADirectConversationIsNeverTooLarge) {
  members_max_ = 0;
  const auto conv = store_->load_conversation("dm:alice:bob", {}).value();
  send(conv, {"alice"});
  acknowledge(conv, "bob", 1);
  EXPECT_EQ(only(), "bob 1 0 alice");
}

TEST_F(ReceiptsDue, WhatRisesWhileItIsToldStaysDue) {
  const auto conv = group({"bob"});
  send(conv, {"alice", "alice", "alice"});
  acknowledge(conv, "bob", 1);
  const auto first = due()[0];
  acknowledge(conv, "bob", 3);
  tell(first);
  EXPECT_EQ(only(), "bob 3 0 alice");
  EXPECT_EQ(server_.number(uri_, "SELECT delivered_from FROM receipts_due"), 1);
  tell(due()[0]);
  EXPECT_TRUE(due().empty());
}

// The commit has raised the row and not ended yet: the teller must neither wait for it, nor take the row away.
TEST_F(ReceiptsDue, ARowThatACommitHoldsIsLeftAlone) {
  const auto conv = group({"bob"});
  send(conv, {"alice", "alice"});
  acknowledge(conv, "bob", 1);
  const auto first = due()[0];
  pqxx::connection other(uri_);
  pqxx::work commit(other);
  commit.exec("UPDATE receipts_due SET delivered = 2");
  tell(first);
  commit.commit();
  EXPECT_EQ(only(), "bob 2 0 alice");
}

TEST_F(ReceiptsDue, WhoLeftIsNotToldAnyMore) {
  const auto conv = group({"bob"});
  send(conv, {"alice"});
  acknowledge(conv, "bob", 1);
  store_->remove_member(conv.name, "alice", "", kNow);
  EXPECT_EQ(only(), "bob 1 0");
}

TEST_F(ReceiptsDue, PagesGiveEachOnce) {
  const auto conv = group({"bob", "carol"});
  const auto direct = store_->load_conversation("dm:alice:dave", {}).value();
  send(conv, {"alice"});
  send(direct, {"alice"});
  acknowledge(conv, "carol", 1);
  acknowledge(conv, "bob", 1);
  acknowledge(direct, "dave", 1);
  std::vector<std::string> users;
  std::optional<MemberKey> behind;
  for (auto page = receipts_->due(behind, 1); !page.empty(); page = receipts_->due(behind, 1)) {
    users.push_back(page[0].key.user);
    behind = page[0].key;
  }
  EXPECT_EQ(users, (std::vector<std::string>{"bob", "carol", "dave"}));
}

TEST_F(ReceiptsDue, ANewOneIsHeardOf) {
  const auto conv = group({"bob"});
  send(conv, {"alice"});
  EXPECT_TRUE(receipts_->wait(std::chrono::milliseconds(1))) << "what was there before";
  EXPECT_FALSE(receipts_->wait(std::chrono::milliseconds(1)));
  acknowledge(conv, "bob", 1);
  EXPECT_TRUE(receipts_->wait(kPatience));
}

}  // namespace
}  // namespace chat::test
