// Requests: chat/rpc/{operation} is answered by the bridge, on the device's reply topic or, in MQTT 5, where the client
// says.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

struct RpcStack {
  static StackOptions options() { return {}; }
};

class Requests : public StackSuite<RpcStack> {
 protected:
  void SetUp() override {
    user_ = stack().new_user();
    client_ = device(user_);
  }

  Message answer(const std::string& id, std::size_t from = 0) {
    return client_->mqtt().expect(
        "the answer to " + id, [&](const Message& message) { return field(message, "id") == id; }, from);
  }

  std::string user_;
  std::unique_ptr<ChatClient> client_;
};

TEST_F(Requests, PingIsAnsweredOnTheDevicesReplyTopic) {
  for (const int protocol : {kMqtt311, kMqtt5}) {
    const auto asking = device(user_, {.protocol = protocol});
    EXPECT_LT(asking->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"p-1"})")), 0x80);
    const auto reply =
        asking->mqtt().expect("the answer", [](const Message& message) { return field(message, "id") == "p-1"; });
    EXPECT_EQ(reply.topic, asking->own("reply/" + asking->device()));
    EXPECT_EQ(reply.json.at("ok"), true);
    EXPECT_GT(reply.json.at("server_time").get<std::int64_t>(), 1'600'000'000'000);
  }
}

TEST_F(Requests, AnMqtt5ClientIsAnsweredOnItsResponseTopicWithItsCorrelationData) {
  const auto topic = client_->own("my/own/place");
  const std::string correlation("\0\x01\xff bytes", 9);
  client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"p-2"})"),
                          {.response_topic = topic, .correlation_data = correlation});
  const auto reply = answer("p-2");
  EXPECT_EQ(reply.topic, topic);
  EXPECT_EQ(reply.correlation_data, correlation);
  EXPECT_EQ(reply.json.at("ok"), true);
}

TEST_F(Requests, AResponseTopicThatIsSomebodyElsesIsRefused) {
  const auto other = device(stack().new_user());
  for (const auto& topic :
       {other->own("inbox"), other->own("reply/x"), std::string("elsewhere"), std::string("chat/u")}) {
    const auto before = client_->mqtt().received_count();
    client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"p-3"})"), {.response_topic = topic});
    const auto error = client_->mqtt().expect(
        "the refusal of " + topic, [&](const Message& message) { return message.topic == client_->own("error"); },
        before);
    EXPECT_EQ(error.json.at("code"), "bad_field") << error.payload;
    EXPECT_EQ(error.json.at("topic"), "chat/rpc/ping");
  }
  client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"p-4"})"));
  answer("p-4");
  EXPECT_TRUE(other->mqtt().received([](const Message& message) { return field(message, "id") == "p-3"; }).empty());
}

TEST_F(Requests, AnUnknownOperationIsAnsweredSo) {
  client_->mqtt().publish("chat/rpc/make.coffee", std::string(R"({"id":"c-1"})"));
  const auto reply = answer("c-1");
  EXPECT_EQ(reply.json.at("ok"), false);
  EXPECT_EQ(reply.json.at("code"), "unknown_operation");
}

TEST_F(Requests, WhatIsNoRequestIsRefused) {
  for (const auto& [payload, code] : std::vector<std::pair<std::string, std::string>>{
           {"no json", "bad_json"}, {"[]", "bad_json"}, {"{}", "bad_field"}, {R"({"id":7})", "bad_field"}}) {
    const auto before = client_->mqtt().received_count();
    EXPECT_EQ(client_->mqtt().publish("chat/rpc/ping", payload), kNotAuthorised) << payload;
    const auto error = client_->mqtt().expect(
        "the refusal", [&](const Message& message) { return message.topic == client_->own("error"); }, before);
    EXPECT_EQ(error.json.at("code"), code) << payload;
  }
}

// The envelope says who asks. Bytes that try to be an envelope themselves speak for nobody else.
TEST_F(Requests, NobodyAsksInAnothersName) {
  const auto other = device(stack().new_user());
  for (const auto& payload : {R"({"id":"f-1","user":")" + other->user() + R"(","device":")" + other->device() +
                                  R"(","request":{"id":"f-1"}})",
                              R"({"id":"f-1"}},"user":")" + other->user() + R"(","device":")" + other->device() +
                                  R"(","request":{"id":"f-1"}})"}) {
    client_->mqtt().publish("chat/rpc/ping", payload);
  }
  client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"f-2"})"));
  answer("f-2");
  other->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"f-3"})"));
  other->mqtt().expect("its own answer", [](const Message& message) { return field(message, "id") == "f-3"; });
  EXPECT_TRUE(other->mqtt().received([](const Message& message) { return field(message, "id") == "f-1"; }).empty());
}

TEST_F(Requests, WithoutTheBridgeTheyAreUnavailableAndWorkAgainWithIt) {
  stack().stop("bridge");
  eventually("the broker knowing that the bridge is gone", [&] {
    const auto before = client_->mqtt().received_count();
    client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"u-1"})"));
    client_->mqtt().publish("chat/rpc/ping", std::string("a round trip"));
    client_->mqtt().expect(
        "the round trip", [](const Message& message) { return field(message, "code") == "bad_json"; }, before);
    const auto said = client_->mqtt().received([](const Message& message) { return field(message, "id") == "u-1"; });
    return !said.empty() && said.back().json.at("code") == "unavailable";
  });
  stack().start("bridge");
  client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"u-2"})"));
  EXPECT_EQ(answer("u-2").json.at("ok"), true);
}

TEST_F(Requests, TheBridgeComesBackByItselfAfterTheBrokersCrash) {
  stack().kill("broker");
  stack().start("broker");
  client_->connect();
  eventually("an answer", [&] {
    const auto before = client_->mqtt().received_count();
    client_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"b-1"})"));
    return answer("b-1", before).json.value("ok", false);
  });
}

}  // namespace
}  // namespace chat::test
