// Guarantee 6: unread counts are exact, and pushed: at the subscription, and behind every change, whoever makes it.
#include <gtest/gtest.h>

#include "tests/support/commanding.h"
#include "tests/support/seed.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"
#include "tests/support/unread_view.h"

namespace chat::test {
namespace {

using nlohmann::json;

struct UnreadStack {
  static StackOptions options() { return {}; }
};

class Guarantee6Unread : public StackSuite<UnreadStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(3);
    alice_ = users[0];
    bob_ = users[1];
    carol_ = users[2];
    conv_ = stack().new_group(alice_, {bob_, carol_});
  }

  static void send_and_store(ChatClient& client, const std::string& conv, int count) {
    std::string last;
    for (int i = 0; i < count; ++i) last = client.send(conv, "number " + std::to_string(i));
    client.sent(last);
  }
  static void read(ChatClient& client, const std::string& conv, std::int64_t seq) {
    client.mqtt().publish("chat/c/" + conv + "/read", json{{"seq", seq}});
  }
  static void request(ChatClient& client, const std::string& operation, json fields) {
    const auto id = client.new_id();
    fields["id"] = id;
    client.mqtt().publish("chat/rpc/" + operation, fields);
    const auto answer = client.mqtt().expect("the answer to " + operation, [&](const Message& message) {
      return message.topic == client.own("reply/" + client.device()) && field(message, "id") == id;
    });
    EXPECT_EQ(answer.json.value("ok", false), true) << answer.payload;
  }

  std::string alice_, bob_, carol_, conv_;
};

TEST_F(Guarantee6Unread, OwnMessageIsNotUnread) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  send_and_store(*alice, conv_, 3);
  expect_total(*bob, 3);
  EXPECT_EQ(unread_view(*bob).unread(conv_), 3);
  bob->sent(bob->send(conv_, "I have seen it"));
  expect_total(*bob, 0);
  expect_total(*alice, 1);
}

TEST_F(Guarantee6Unread, ThePresentValueComesAtTheSubscriptionAndWhenItIsAskedFor) {
  const auto alice = device(alice_);
  send_and_store(*alice, conv_, 2);
  const auto bob = device(bob_, {.subscribe = false});
  ASSERT_EQ(bob->mqtt().subscribe(bob->own("unread/total")), 1);
  const auto badge = bob->mqtt().expect("the badge", [&](const Message&) { return true; });
  EXPECT_EQ(badge.topic, bob->own("unread/total"));
  EXPECT_EQ(badge.payload, "2");
  ASSERT_EQ(bob->mqtt().subscribe(bob->own("unread")), 1);
  const auto digest =
      bob->mqtt().expect("the digest", [&](const Message& message) { return message.topic == bob->own("unread"); });
  const json row{{"conv", conv_}, {"unread", 2}, {"mentions", 0}, {"muted", false}};
  EXPECT_EQ(digest.json, (json{{"total", 2}, {"page", 1}, {"pages", 1}, {"conversations", {row}}}));
  const auto before = unread_view(*bob).whole;
  bob->mqtt().publish("chat/sync", std::string("{}"));
  eventually("the digest once more", [&] { return unread_view(*bob).whole > before; });
  expect_total(*bob, 2);
}

TEST_F(Guarantee6Unread, WhoHasNothingUnreadIsToldSo) {
  const auto bob = device(bob_);
  expect_total(*bob, 0);
}

TEST_F(Guarantee6Unread, RecallLowersUnread) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  send_and_store(*alice, conv_, 3);
  expect_total(*bob, 3);
  give_command(*alice, conv_, "recall", 2);
  expect_total(*bob, 2);
}

TEST_F(Guarantee6Unread, ReadOnOneDeviceUpdatesTheOther) {
  const auto alice = device(alice_);
  const auto phone = device(bob_);
  const auto lamp = device(bob_, {.protocol = kMqtt311});
  send_and_store(*alice, conv_, 5);
  expect_total(*phone, 5);
  expect_total(*lamp, 5);
  read(*phone, conv_, 3);
  expect_total(*lamp, 2);
  read(*phone, conv_, 5);
  expect_total(*lamp, 0);
  EXPECT_EQ(unread_view(*lamp).rows.size(), 0U);
}

TEST_F(Guarantee6Unread, RestartKeepsUnread) {
  const auto alice = device(alice_);
  send_and_store(*alice, conv_, 4);
  for (const auto* service : {"bridge", "broker"}) {
    stack().kill(service);
    stack().start(service);
    const auto bob = device(bob_);
    expect_total(*bob, 4);
  }
}

// Who stays connected is told anew by a bridge that comes, so that nothing is missed of what was changed meanwhile.
TEST_F(Guarantee6Unread, WhatChangedWhileTheBridgeWasAwayIsToldByTheNext) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  send_and_store(*alice, conv_, 1);
  expect_total(*bob, 1);
  stack().kill("bridge");
  send_and_store(*alice, conv_, 2);
  stack().start("bridge");
  expect_total(*bob, 3);
}

TEST_F(Guarantee6Unread, ADatabaseThatWasAwayIsHeardAgain) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  send_and_store(*alice, conv_, 1);
  expect_total(*bob, 1);
  stack().restart("postgres");
  send_and_store(*alice, conv_, 2);
  expect_total(*bob, 3);
}

// Goal: what is pushed is gathered, and the last state is right. The bound of five a second follows from the time that
// the test took, however long that was.
TEST_F(Guarantee6Unread, ABurstOfAThousandInOneConversation) {
  constexpr int kMessages = 1000;
  const auto alice = device(alice_, {.acknowledge_every = 20});
  const auto bob = device(bob_, {.acknowledge_every = 20});
  expect_total(*bob, 0);
  const auto before = unread_view(*bob).digests;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kMessages; ++i) {
    alice->mqtt().publish_async(message_topic(conv_), text(alice->new_id(), "x").dump(), nullptr);
  }
  expect_total(*bob, kMessages);
  const auto took = std::chrono::steady_clock::now() - began;
  const auto digests = unread_view(*bob).digests - before;
  EXPECT_LE(digests, took / std::chrono::milliseconds(200) + 2);
  EXPECT_GE(digests, 1);
  EXPECT_EQ(unread_view(*bob).unread(conv_), kMessages);
  auto looking = database();
  EXPECT_EQ(counted_total(looking, bob_), kMessages);
}

TEST_F(Guarantee6Unread, AnExpiredMessageLeavesTheCountByItself) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  auto brief = text(alice->new_id(), "soon gone");
  brief["ttl"] = 3;
  alice->mqtt().publish(message_topic(conv_), brief);
  send_and_store(*alice, conv_, 1);
  expect_total(*bob, 2);
  expect_total(*bob, 1);
}

TEST_F(Guarantee6Unread, MutedConversationsAreNotInTheTotalAndMentionsAreCountedApart) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  auto naming = text(alice->new_id(), "you!");
  naming["mentions"] = {bob_};
  alice->mqtt().publish(message_topic(conv_), naming);
  send_and_store(*alice, conv_, 1);
  alice->sent(alice->send_direct(bob_, "just you"));
  expect_total(*bob, 3);
  EXPECT_EQ(unread_view(*bob).mentions(conv_), 1);
  request(*bob, "settings.set", {{"conv", conv_}, {"muted", true}});
  expect_total(*bob, 1);
  EXPECT_EQ(unread_view(*bob).unread(conv_), 2) << "it is still told";
  request(*bob, "settings.set", {{"conv", conv_}, {"muted", false}});
  expect_total(*bob, 3);
}

TEST_F(Guarantee6Unread, WhatSomebodyDeletesOrLeavesIsNotUnreadToThem) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  const auto carol = device(carol_);
  send_and_store(*alice, conv_, 4);
  expect_total(*bob, 4);
  request(*bob, "message.delete", {{"conv", conv_}, {"seqs", {2}}});
  expect_total(*bob, 3);
  request(*bob, "message.delete", {{"conv", conv_}, {"to", 3}});
  expect_total(*bob, 1);
  request(*bob, "conversation.leave", {{"conv", conv_}});
  expect_total(*bob, 0);
  expect_total(*carol, 4);
  request(*alice, "member.add", {{"conv", conv_}, {"users", {bob_}}});
  send_and_store(*alice, conv_, 2);
  expect_total(*bob, 2);
}

TEST_F(Guarantee6Unread, MoreThan500ConversationsComeInPages) {
  constexpr int kConversations = 1203;
  auto looking = database();
  const auto bob = looking.quote(bob_);
  looking.query(
      "WITH made AS (INSERT INTO conversations (name, kind, last_seq, created_at, changed_at) "
      "SELECT 'g:pages-' || n, 1, n, 1, 1 FROM generate_series(1, " +
      std::to_string(kConversations) +
      ") n RETURNING id) INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) SELECT id, " + bob +
      ", 1, 1, 1 FROM made");
  const auto client = device(bob_);
  expect_total(*client, std::int64_t{kConversations} * (kConversations + 1) / 2);
  const auto view = unread_view(*client);
  EXPECT_EQ(view.rows.size(), static_cast<std::size_t>(kConversations));
  EXPECT_EQ(view.unread("g:pages-77"), 77);
  const auto digests = client->mqtt().received(
      [&](const Message& message) { return message.topic == client->own("unread") && message.json.contains("page"); });
  ASSERT_EQ(digests.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(digests[i].json["page"], i + 1);
    EXPECT_EQ(digests[i].json["pages"], 3);
    EXPECT_LE(digests[i].json["conversations"].size(), 500U);
  }
}

// Goal: whatever happens, in whatever order, the last that everybody is told is what PostgreSQL counts. Method: three
// friends in three conversations do what comes to their minds.
TEST_F(Guarantee6Unread, AgreesWithPostgreSqlBehindRandomDoings) {
  constexpr int kSteps = 100;
  const std::vector<std::string> convs{conv_, stack().new_group(bob_, {alice_, carol_}),
                                       direct_conversation(alice_, bob_)};
  std::vector<std::unique_ptr<ChatClient>> clients;
  for (const auto& user : {alice_, bob_, carol_}) clients.push_back(device(user, {.acknowledge_every = 10}));
  clients[0]->sent(clients[0]->send_direct(bob_, "so that there is one"));
  auto chance = generator("unread");
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(chance); };
  std::map<std::string, std::int64_t> last;
  std::string last_id;
  for (int i = 0; i < kSteps; ++i) {
    const auto which = below(convs.size());
    auto& client = *clients[below(which == 2 ? 2 : 3)];
    const auto& conv = convs[which];
    const auto doing = below(10);
    if (doing < 6 || last[conv] == 0) {
      last_id = client.send(conv, "x");
      last[conv] = client.sent(last_id).at("seq");
    } else if (doing < 8) {
      read(client, conv, 1 + static_cast<std::int64_t>(below(static_cast<std::size_t>(last[conv]))));
    } else if (doing == 8) {
      give_command(client, conv, "recall", last[conv]);
    } else {
      request(client, "message.delete", {{"conv", conv}, {"seqs", {last[conv]}}});
    }
  }
  auto looking = database();
  eventually("the end of the commands", [&] { return commands_waiting(looking) == 0; });
  for (const auto& client : clients) {
    eventually("agreement about " + client->user(),
               [&] { return unread_view(*client).is(counted_total(looking, client->user())); });
  }
}

}  // namespace
}  // namespace chat::test
