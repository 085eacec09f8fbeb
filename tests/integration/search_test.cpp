// Searching, forwarding and ending a device's connection on the whole system.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/commanding.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

using nlohmann::json;

struct SearchStack {
  static StackOptions options() { return {}; }
};

class Searches : public StackSuite<SearchStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(3);
    alice_ = users[0];
    bob_ = users[1];
    carol_ = users[2];
    conv_ = stack().new_group(alice_, {bob_});
  }

  static json ask(ChatClient& client, const std::string& operation, json fields) {
    const auto id = client.new_id();
    fields["id"] = id;
    client.mqtt().publish("chat/rpc/" + operation, fields);
    return client.mqtt()
        .expect("the answer to " + operation,
                [&](const Message& message) {
                  return field(message, "id") == id && message.topic == client.own("reply/" + client.device());
                })
        .json;
  }
  static json found(ChatClient& client, const std::string& words) {
    return ask(client, "search", {{"words", words}, {"limit", 200}}).at("messages");
  }
  static void expect_found(ChatClient& client, const std::string& words, std::size_t count) {
    eventually(std::to_string(count) + " messages with " + words, [&] { return found(client, words).size() == count; });
  }

  std::string alice_;
  std::string bob_;
  std::string carol_;
  std::string conv_;
};

TEST_F(Searches, WhatWasSaidIsFoundAndRecalledTextIsFoundNoMore) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  alice->sent(alice->send(conv_, "明天我们去北京大学看朋友"));
  alice->sent(alice->send(conv_, "the Secret cake"));
  bob->expect_through(conv_, 2);
  expect_found(*bob, "北京", 1);
  expect_found(*bob, "secret", 1);
  EXPECT_EQ(found(*bob, "secret")[0], bob->message(conv_, 2).json) << "in the bytes in which it was delivered";
  give_command(*alice, conv_, "recall", 2);
  event_about(*bob, "message.recalled", conv_, 2);
  EXPECT_EQ(found(*bob, "secret"), json::array()) << "gone with the recall itself, not some time behind it";
  give_command(*alice, conv_, "edit", 1, {{"body", "明天去上海"}});
  event_about(*bob, "message.edited", conv_, 1);
  EXPECT_EQ(found(*bob, "北京"), json::array());
  EXPECT_EQ(found(*bob, "上海").size(), 1U);
}

TEST_F(Searches, ABridgeKilledWhileItIndexesMissesNothing) {
  constexpr std::size_t kMessages = 150;
  const auto alice = device(alice_);
  const auto bob = device(bob_, {.acknowledge_every = 20});
  std::string last;
  for (std::size_t i = 0; i < kMessages; ++i) {
    last = alice->send(conv_, "needle " + std::to_string(i));
    if (i % 50 == 25) stack().kill("bridge");
    if (i % 50 == 35) stack().start("bridge");
  }
  alice->sent(last);
  Database looking(stack().pg());
  eventually("all is indexed", [&] {
    return looking.number(
               "SELECT coalesce(max(p.seq), 0) FROM search_progress p JOIN conversations c ON c.id = p.conv_id WHERE "
               "c.name = '" +
               conv_ + "'") == static_cast<std::int64_t>(kMessages);
  });
  expect_found(*bob, "needle", kMessages);
}

TEST_F(Searches, AForwardedMessageComesFromTheOneWhoForwardedIt) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  const auto carol = device(carol_);
  alice->sent(alice->send(conv_, "for everybody"));
  const auto request = json{{"conv", conv_}, {"seq", 1}, {"to", {carol_}}};
  const auto answer = ask(*bob, "message.forward", request);
  ASSERT_EQ(answer.at("ok"), true) << answer;
  const std::string id = answer.at("forwarded")[0].at("id");
  const auto direct = direct_conversation(bob_, carol_);
  EXPECT_EQ(answer.at("forwarded")[0].at("conv"), direct);
  const auto got = carol->message_with_id(id).json;
  EXPECT_EQ(got.at("from"), bob_);
  EXPECT_EQ(got.at("body"), "for everybody");
  EXPECT_EQ(got.at("forwarded"), json({{"conv", conv_}, {"seq", 1}, {"from", alice_}}));
  EXPECT_EQ(bob->sent(id).at("conv"), direct);
  Database looking(stack().pg());
  eventually("the order is done with", [&] { return looking.number("SELECT count(*) FROM outgoing") == 0; });
  EXPECT_EQ(carol->seqs(direct), std::vector<std::int64_t>{1});
}

TEST_F(Searches, AKickedDeviceLosesItsConnectionAndAnotherUsersDoesNot) {
  const auto phone = device(bob_);
  const auto laptop = device(bob_);
  const auto alice = device(alice_);
  EXPECT_EQ(ask(*alice, "device.kick", {{"device", phone->device()}}).at("ok"), true);
  EXPECT_EQ(ask(*laptop, "device.kick", {{"device", phone->device()}}).at("ok"), true);
  eventually("the phone to be disconnected", [&] { return !phone->mqtt().connected(); });
  EXPECT_EQ(ask(*laptop, "ping", json::object()).at("ok"), true);
  Database looking(stack().pg());
  eventually("both orders are done with", [&] { return looking.number("SELECT count(*) FROM outgoing") == 0; });
  EXPECT_EQ(ask(*alice, "ping", json::object()).at("ok"), true);
}

}  // namespace
}  // namespace chat::test
