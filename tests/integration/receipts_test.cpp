// Receipts: senders are told how far the others have come, in conversations of up to receipt_push_members.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

using nlohmann::json;

struct ReceiptStack {
  static StackOptions options() { return {.plugin = {{"receipt_push_members", "3"}}}; }
};

class PushedReceipts : public StackSuite<ReceiptStack> {
 protected:
  void SetUp() override {
    users_ = stack().new_users(4);
    for (std::size_t i = 0; i < 3; ++i) clients_.push_back(device(users_[i]));
  }
  ChatClient& alice() { return *clients_[0]; }
  ChatClient& bob() { return *clients_[1]; }
  ChatClient& carol() { return *clients_[2]; }

  static void read(ChatClient& client, const std::string& conv, std::int64_t seq) {
    client.mqtt().publish("chat/c/" + conv + "/read", json{{"seq", seq}});
  }
  static std::vector<Message> receipts(ChatClient& client, const std::string& conv) {
    return client.mqtt().received([&](const Message& message) {
      return message.topic == client.own("receipt") && field(message, "conv") == conv;
    });
  }
  // Waits for a receipt of that member with these cursors.
  static json receipt(ChatClient& client, const std::string& conv, const std::string& user, std::int64_t delivered,
                      std::int64_t read) {
    return client.mqtt()
        .expect("the receipt of " + user + " with " + std::to_string(delivered) + " and " + std::to_string(read),
                [&](const Message& message) {
                  return message.topic == client.own("receipt") && field(message, "conv") == conv &&
                         field(message, "user") == user && message.json.at("delivered") == delivered &&
                         message.json.at("read") == read;
                })
        .json;
  }
  static std::int64_t waiting() { return database().number("SELECT count(*) FROM receipts_due"); }

  std::vector<std::string> users_;
  std::vector<std::unique_ptr<ChatClient>> clients_;
};

TEST_F(PushedReceipts, InADirectConversationTheSenderIsToldOfDeliveryAndReading) {
  const auto conv = direct_conversation(users_[0], users_[1]);
  const auto sent = alice().sent(alice().send_direct(users_[1], "hello"));
  bob().message(conv, 1);
  bob().acknowledge(conv, 1);
  const auto delivered = receipt(alice(), conv, users_[1], 1, 0);
  EXPECT_EQ(delivered.size(), 5U) << delivered;
  EXPECT_GE(delivered.at("at"), sent.at("server_time"));
  read(bob(), conv, 1);
  const auto seen = receipt(alice(), conv, users_[1], 1, 1);
  EXPECT_GE(seen.at("at"), delivered.at("at"));
  EXPECT_TRUE(receipts(bob(), conv).empty()) << "he has sent nothing";
  eventually("the end of the rows", [] { return waiting() == 0; });
}

TEST_F(PushedReceipts, InAGroupOfThreeEachSenderIsToldOfEachReader) {
  const auto conv = stack().new_group(users_[0], {users_[1], users_[2]});
  alice().sent(alice().send(conv, "one"));
  bob().sent(bob().send(conv, "two"));
  read(carol(), conv, 2);
  receipt(alice(), conv, users_[2], 2, 2);
  receipt(bob(), conv, users_[2], 2, 2);
  read(bob(), conv, 2);
  receipt(alice(), conv, users_[1], 2, 2);
  eventually("the end of the rows", [] { return waiting() == 0; });
  EXPECT_TRUE(receipts(carol(), conv).empty());
  for (const auto& receipt : receipts(bob(), conv)) EXPECT_EQ(receipt.json.at("user"), users_[2]);
}

// What comes behind it is told, so what did not come by then was not pushed.
TEST_F(PushedReceipts, InALargerGroupNobodyIsToldAndTheyAreAskedFor) {
  const auto conv = stack().new_group(users_[0], {users_[1], users_[2], users_[3]});
  const auto small = direct_conversation(users_[0], users_[1]);
  alice().sent(alice().send(conv, "to all"));
  alice().sent(alice().send_direct(users_[1], "to you"));
  bob().message(small, 1);
  read(bob(), conv, 1);
  read(bob(), small, 1);
  receipt(alice(), small, users_[1], 1, 1);
  EXPECT_TRUE(receipts(alice(), conv).empty());
  alice().mqtt().publish("chat/rpc/receipt.list", json{{"id", "asked"}, {"conv", conv}, {"seq", 1}});
  const auto answer =
      alice().mqtt().expect("the answer", [](const Message& message) { return field(message, "id") == "asked"; });
  EXPECT_EQ(answer.json.at("read"), 1) << answer.payload;
  stack().chatctl({"member", "remove", conv, users_[3]});
  alice().sent(alice().send(conv, "to the three"));
  read(bob(), conv, 2);
  receipt(alice(), conv, users_[1], 2, 2);
}

TEST_F(PushedReceipts, WhatIsAcknowledgedWhileTheBridgeIsAwayIsToldAfterwards) {
  const auto conv = direct_conversation(users_[0], users_[1]);
  alice().sent(alice().send_direct(users_[1], "hello"));
  bob().message(conv, 1);
  stack().kill("bridge");
  bob().acknowledge(conv, 1);
  eventually("the row that waits", [] { return waiting() == 1; });
  read(bob(), conv, 1);
  auto looking = database();
  eventually("the reading in PostgreSQL", [&] { return stored_read(looking, conv, users_[1]) == 1; });
  EXPECT_EQ(waiting(), 1) << "one row, however many acknowledgements";
  stack().start("bridge");
  receipt(alice(), conv, users_[1], 1, 1);
  EXPECT_EQ(receipts(alice(), conv).size(), 1U);
  eventually("the end of the rows", [] { return waiting() == 0; });
}

// The bound of five a second follows from the time that the test took, however long that was.
TEST_F(PushedReceipts, ManyAcknowledgementsAreGatheredAndTheLastStateIsTold) {
  constexpr std::int64_t kMessages = 300;
  const auto conv = direct_conversation(users_[0], users_[1]);
  std::string last;
  for (std::int64_t i = 0; i < kMessages; ++i) {
    last = alice().new_id();
    alice().mqtt().publish_async(direct_topic(users_[1]), text(last, "x").dump(), nullptr);
  }
  alice().sent(last);
  const auto began = std::chrono::steady_clock::now();
  for (std::int64_t seq = 1; seq <= kMessages; ++seq) {
    bob().mqtt().publish("chat/c/" + conv + "/delivered", json{{"seq", seq}});
    if (seq % 2 == 0) read(bob(), conv, seq);
  }
  receipt(alice(), conv, users_[1], kMessages, kMessages);
  const auto took = std::chrono::steady_clock::now() - began;
  const auto told = receipts(alice(), conv);
  EXPECT_LE(static_cast<long>(told.size()), took / std::chrono::milliseconds(200) + 2);
  std::int64_t delivered = 0;
  std::int64_t seen = 0;
  for (const auto& one : told) {
    EXPECT_GE(one.json.at("delivered"), delivered);
    EXPECT_GE(one.json.at("read"), seen);
    delivered = one.json.at("delivered");
    seen = one.json.at("read");
  }
}

}  // namespace
}  // namespace chat::test
