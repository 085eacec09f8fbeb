// Requests on the whole system: what a client asks for is what the others see, and what it is answered is what flowed.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

using nlohmann::json;

struct RequestsStack {
  static StackOptions options() { return {}; }
};

class RequestingClients : public StackSuite<RequestsStack> {
 protected:
  static json ask(ChatClient& client, const std::string& operation, json fields = json::object()) {
    const auto id = client.new_id();
    fields["id"] = id;
    client.mqtt().publish("chat/rpc/" + operation, fields);
    const auto answer = client.mqtt().expect("the answer to " + operation, [&](const Message& message) {
      return field(message, "id") == id && message.topic == client.own("reply/" + client.device());
    });
    EXPECT_EQ(answer.json.value("ok", false), true) << operation << ": " << answer.payload;
    return answer.json;
  }

  // A device that is new starts at each conversation's latest event: only behind its opening is it owed what comes.
  static std::unique_ptr<ChatClient> open_device(const std::string& user, DeviceOptions options) {
    auto client = device(user, std::move(options));
    client->sync("end");
    return client;
  }

  static json event(ChatClient& client, const std::string& conv, const std::string& kind) {
    return client.mqtt()
        .expect("the event " + kind,
                [&](const Message& message) {
                  return message.topic == client.own("event") && field(message, "conv") == conv &&
                         field(message, "kind") == kind;
                })
        .json;
  }
};

class RequestsOfBothProtocols : public RequestingClients, public ::testing::WithParamInterface<int> {};

// Goal: one conversation's life by requests alone, from both kinds of clients. Method: alice makes a group, her
// friends' devices hear of it and of each change, messages flow, and then history, list, unread and receipts must agree
// with what the inboxes got.
TEST_P(RequestsOfBothProtocols, AGroupLivesByRequestsAlone) {
  const auto users = stack().new_users(4);
  const auto alice = open_device(users[0], {.protocol = GetParam()});
  const auto bob = open_device(users[1], {.protocol = GetParam(), .acknowledge_every = 1});
  const auto carol = open_device(users[2], {.protocol = GetParam()});
  const auto dave = open_device(users[3], {.protocol = GetParam()});

  const std::string conv =
      ask(*alice, "conversation.create", {{"title", "Picnic"}, {"members", {users[1], users[2]}}})["conv"];
  for (auto* client : {alice.get(), bob.get(), carol.get()}) {
    const auto created = event(*client, conv, "conversation.created");
    EXPECT_EQ(created["by"], users[0]);
    EXPECT_EQ(created["title"], "Picnic");
  }

  std::string last;
  for (int i = 1; i <= 5; ++i) last = (i % 2 == 0 ? bob : alice)->send(conv, "message " + std::to_string(i));
  alice->sent(last);
  for (auto* client : {alice.get(), bob.get(), carol.get()}) client->expect_through(conv, 5);

  // The bytes of history are those of the inbox.
  const auto history = ask(*carol, "history", {{"conv", conv}, {"order", "oldest"}});
  ASSERT_EQ(history["messages"].size(), 5U);
  for (std::int64_t seq = 1; seq <= 5; ++seq) {
    EXPECT_EQ(history["messages"][static_cast<std::size_t>(seq - 1)], carol->message(conv, seq).json);
  }

  EXPECT_EQ(ask(*carol, "unread.get")["total"], 5);
  EXPECT_EQ(ask(*bob, "unread.get")["total"], 1) << "behind his own";
  auto row = ask(*carol, "conversation.list")["conversations"][0];
  EXPECT_EQ(row["conv"], conv);
  EXPECT_EQ(row["unread"], 5);
  EXPECT_EQ(row["last"]["body"], "message 5");

  carol->mqtt().publish("chat/c/" + conv + "/read", json{{"seq", 4}});
  eventually("carol's reading is stored", [&] { return ask(*carol, "unread.get")["total"] == 1; });
  const auto receipts = ask(*alice, "receipt.list", {{"conv", conv}, {"seq", 3}})["receipts"];
  ASSERT_EQ(receipts.size(), 2U) << receipts;
  std::map<std::string, bool> read;
  for (const auto& receipt : receipts) read[receipt["user"]] = receipt["read"];
  EXPECT_EQ(read, (std::map<std::string, bool>{{users[1], false}, {users[2], true}}));

  // Who comes gets what is said from then on; who goes gets nothing more.
  ask(*alice, "member.add", {{"conv", conv}, {"users", {users[3]}}});
  EXPECT_EQ(event(*dave, conv, "member.added")["user"], users[3]);
  ask(*alice, "member.remove", {{"conv", conv}, {"users", {users[1]}}});
  EXPECT_EQ(event(*carol, conv, "member.removed")["user"], users[1]);
  carol->sent(carol->send(conv, "six"));
  dave->message(conv, 6);
  EXPECT_EQ(dave->seqs(conv), (std::vector<std::int64_t>{6}));
  EXPECT_EQ(ask(*dave, "history", {{"conv", conv}})["messages"].size(), 1U);
  EXPECT_EQ(bob->seqs(conv).back(), 5);

  ask(*alice, "conversation.update", {{"conv", conv}, {"announcement", true}});
  EXPECT_EQ(event(*dave, conv, "conversation.updated")["announcement"], true);
  dave->mqtt().publish(message_topic(conv), text("d-1", "may I?"));
  EXPECT_EQ(dave->error_for("d-1")["code"], "not_allowed");

  // The owner leaves: the one who has served longest leads.
  ask(*alice, "conversation.leave", {{"conv", conv}});
  const auto role = event(*dave, conv, "member.role");
  EXPECT_EQ(role["user"], users[2]);
  EXPECT_EQ(role["role"], "owner");
  carol->sent(carol->send(conv, "seven"));
  dave->message(conv, 7);
}

// A client that lost its answer asks again, and nothing is made twice.
TEST_P(RequestsOfBothProtocols, ARequestSentAgainIsCarriedOutOnce) {
  const auto users = stack().new_users(2);
  const auto alice = device(users[0], {.protocol = GetParam()});
  const json request{{"id", "again"}, {"title", "One"}, {"members", {users[1]}}};
  std::set<std::string> answers;
  for (int i = 0; i < 3; ++i) {
    const auto before = alice->mqtt().received_count();
    alice->mqtt().publish("chat/rpc/conversation.create", request);
    answers.insert(alice->mqtt()
                       .expect(
                           "the answer", [](const Message& message) { return field(message, "id") == "again"; }, before)
                       .payload);
  }
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_EQ(ask(*alice, "conversation.list")["conversations"].size(), 1U);
}

TEST_F(RequestingClients, ADeviceSetByRequestCatchesUpThatWay) {
  const auto users = stack().new_users(2);
  const auto alice = device(users[0]);
  const auto bob = device(users[1]);
  const std::string conv = ask(*alice, "conversation.create", {{"user", users[1]}})["conv"];
  EXPECT_EQ(conv, direct_conversation(users[0], users[1]));
  ask(*bob, "device.set", {{"device", users[1] + "-watch"}, {"replay", "newest"}, {"limit", 2}});
  for (int i = 1; i <= 6; ++i) alice->sent(alice->send(conv, "message " + std::to_string(i)));
  const auto watch = device(users[1], {.device = users[1] + "-watch"});
  EXPECT_EQ(watch->sync("limited")["to"], 4);
  watch->message(conv, 6);
  EXPECT_EQ(watch->seqs(conv), (std::vector<std::int64_t>{5, 6}));
}

INSTANTIATE_TEST_SUITE_P(By, RequestsOfBothProtocols, ::testing::Values(kMqtt311, kMqtt5),
                         [](const auto& protocol) { return protocol.param == kMqtt5 ? "Mqtt5" : "Mqtt311"; });

}  // namespace
}  // namespace chat::test
