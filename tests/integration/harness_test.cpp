// The harness itself, on a bare broker: what the other tests lean on. A client that can't tell a broken system from a
// working one would make every other test green.
#include <gtest/gtest.h>

#include "tests/support/message_load.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

struct BareStack {
  static StackOptions options() { return {.broker_conf = "max_queued_messages 1000", .bare = true, .users = 4}; }
};
using Harness = StackSuite<BareStack>;

std::unique_ptr<MqttClient> client(int port, const std::string& id, ClientOptions options = {}) {
  options.client_id = id;
  if (options.user.empty()) options.user = "u1";
  auto made = std::make_unique<MqttClient>(port, std::move(options));
  made->connect();
  return made;
}

TEST_F(Harness, AMessageArrivesWithEverythingThatItCarried) {
  const auto receiver = client(port(), "receiver");
  const auto sender = client(port(), "sender");
  EXPECT_EQ(receiver->subscribe("h/1/#", 1), 1);
  EXPECT_EQ(sender->publish("h/1/a", nlohmann::json{{"n", 1}}, {.response_topic = "h/back", .correlation_data = "c-1"}),
            0);
  const auto got = receiver->expect("n = 1", [](const Message& message) { return message.topic == "h/1/a"; });
  EXPECT_EQ(got.json.at("n"), 1);
  EXPECT_EQ(got.qos, 1);
  EXPECT_EQ(got.response_topic, "h/back");
  EXPECT_EQ(got.correlation_data, "c-1");
}

TEST_F(Harness, AnUnacknowledgedPublishIsSentAgainAfterReconnect) {
  const auto receiver = client(port(), "receiver2");
  receiver->subscribe("h/2");
  const auto sender = client(port(), "sender2");
  sender->drop();
  EXPECT_FALSE(sender->connected());
  std::atomic<int> code{-1};
  sender->publish_async("h/2", "kept", [&](int reason) { code = reason; });
  EXPECT_EQ(sender->under_way(), 1U);
  sender->connect();
  receiver->expect("the kept message", [](const Message& message) { return message.payload == "kept"; });
  eventually("its acknowledgement", [&] { return code == 0; });
}

TEST_F(Harness, AWrongPasswordIsRefused) {
  try {
    client(port(), "wrong", {.password = "not it"});
    FAIL() << "accepted";
  } catch (const ConnectRefused& refused) {
    EXPECT_EQ(refused.code(), 0x87);  // not authorised
  }
}

TEST_F(Harness, ALostConnectionSendsItsWillAndAnEndedOneDoesNot) {
  const auto watcher = client(port(), "watcher");
  watcher->subscribe("h/will/#");
  const auto ended = client(port(), "ended", {.will = Will{.topic = "h/will/ended", .payload = "x"}});
  const auto lost = client(port(), "lost", {.will = Will{.topic = "h/will/lost", .payload = "x"}});
  ended->disconnect();
  lost->drop();
  watcher->expect("the will", [](const Message& message) { return message.topic == "h/will/lost"; });
  EXPECT_TRUE(watcher->received([](const Message& message) { return message.topic == "h/will/ended"; }).empty());
}

TEST_F(Harness, APersistentSessionKeepsMessages) {
  const auto sender = client(port(), "sender3");
  {
    const auto away = client(port(), "away", {.protocol = kMqtt311, .clean_start = false});
    EXPECT_FALSE(away->session_present());
    away->subscribe("h/3");
  }
  sender->publish("h/3", std::string("waiting"));
  const auto back = client(port(), "away", {.protocol = kMqtt311, .clean_start = false});
  EXPECT_TRUE(back->session_present());
  back->expect("the waiting message", [](const Message& message) { return message.payload == "waiting"; });
}

TEST_F(Harness, TheRawSpeakerSpeaksBothProtocols) {
  for (const int protocol : {4, 5}) {
    RawMqtt raw(port(), {.client_id = "raw" + std::to_string(protocol), .user = "u1", .protocol = protocol});
    EXPECT_EQ(raw.connect(), 0);
    raw.subscribe("h/raw", 2, 7);
    EXPECT_EQ(raw.expect(PacketType::kSuback).reason, 2);
    raw.publish("h/raw", "twice", {.qos = 2, .id = 9});
    EXPECT_EQ(raw.expect(PacketType::kPubrec).id, 9);
    raw.answer(PacketType::kPubrel, 9);
    const auto got = raw.expect(PacketType::kPublish);
    EXPECT_EQ(got.topic, "h/raw");
    EXPECT_EQ(got.payload, "twice");
    raw.answer(PacketType::kPubrec, got.id);
    raw.expect(PacketType::kPubrel);
    raw.answer(PacketType::kPubcomp, got.id);
    raw.ping();
    raw.expect(PacketType::kPingresp);
  }
}

TEST_F(Harness, AKilledBrokerIsNoticedAndComesBack) {
  const auto lost = client(port(), "noticing");
  const auto before = stack().broker_pid();
  stack().kill("broker");
  eventually("the lost connection", [&] { return !lost->connected(); });
  EXPECT_THROW(lost->connect(), std::runtime_error);
  stack().start("broker");
  EXPECT_NE(stack().broker_pid(), before);
  lost->connect();
  EXPECT_TRUE(lost->connected());
}

TEST_F(Harness, AFrozenPostgresAnswersOnlyWhenItIsThawed) {
  auto looking = database();
  EXPECT_EQ(looking.number("SELECT 1"), 1);
  stack().freeze_postgres();
  std::atomic<bool> answered{false};
  std::thread asking([&] {
    looking.number("SELECT 1");
    answered = true;
  });
  EXPECT_FALSE(answered);
  stack().thaw_postgres();
  asking.join();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace chat::test
