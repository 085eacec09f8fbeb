// What the design takes for granted about Mosquitto, seen from outside, so that a later version that differs is noticed
// here and not in a chat. The first half runs a bare broker, the second one with the plugin.
#include <gtest/gtest.h>

#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct BareStack {
  static StackOptions options() { return {.broker_conf = "persistence true", .bare = true, .users = 4}; }
};
using BareBroker = StackSuite<BareStack>;

std::unique_ptr<MqttClient> plain(int port, const std::string& id, ClientOptions options = {}) {
  options.client_id = id;
  if (options.user.empty()) options.user = "u1";
  auto client = std::make_unique<MqttClient>(port, std::move(options));
  client->connect();
  return client;
}

// Hence: a retry is recognised by the sender's own id, never by the packet's number.
TEST_F(BareBroker, DeliversEachQos1DuplicateAgain) {
  const auto receiver = plain(port(), "dup-receiver");
  receiver->subscribe("f/dup", 1);
  RawMqtt raw(port(), {.client_id = "dup-raw", .user = "u1"});
  raw.connect();
  for (int i = 0; i < 2; ++i) {
    raw.publish("f/dup", "same", {.qos = 1, .id = 3, .dup = i > 0});
    raw.expect(PacketType::kPuback);
  }
  receiver->expect_many("both copies", 2, [](const Message& message) { return message.payload == "same"; });
}

// Hence: the stamped bytes of a duplicate must be those of the first copy.
TEST_F(BareBroker, DeliversTheLaterCopyWhenAQos2DuplicateDiffers) {
  const auto receiver = plain(port(), "qos2-receiver");
  receiver->subscribe("f/qos2", 2);
  RawMqtt raw(port(), {.client_id = "qos2-raw", .user = "u1"});
  raw.connect();
  raw.publish("f/qos2", "first", {.qos = 2, .id = 3});
  raw.expect(PacketType::kPubrec);
  raw.publish("f/qos2", "later", {.qos = 2, .id = 3, .dup = true});
  raw.expect(PacketType::kPubrec);
  raw.answer(PacketType::kPubrel, 3);
  raw.expect(PacketType::kPubcomp);
  receiver->expect("the later copy", [](const Message& message) { return message.payload == "later"; });
  raw.publish("f/qos2", "fence", {.qos = 1, .id = 4});
  receiver->expect("the fence", [](const Message& message) { return message.payload == "fence"; });
  EXPECT_EQ(receiver->received_count(), 2U);
}

// Hence: what is handed to one device at once is bounded by a window of our own.
TEST_F(BareBroker, DropsWithoutAWordWhatDoesNotFitIntoAQueueOfAThousand) {
  const ClientOptions sleeping{.protocol = kMqtt311, .clean_start = false};
  {
    const auto away = plain(port(), "sleeping", sleeping);
    away->subscribe("f/queue");
  }
  const auto sender = plain(port(), "queue-sender", {.max_inflight = 100});
  std::atomic<int> accepted{0};
  for (int i = 0; i < 1500; ++i) {
    sender->publish_async("f/queue", std::to_string(i), [&](int code) { accepted += code < 0x80 ? 1 : 0; });
  }
  eventually("1500 acknowledgements", [&] { return accepted == 1500; });
  const auto back = plain(port(), "sleeping", sleeping);
  back->expect("the last that fits", [](const Message& message) { return message.payload == "999"; });
  sender->publish("f/queue", std::string("fence"));
  back->expect("the fence", [](const Message& message) { return message.payload == "fence"; });
  EXPECT_EQ(back->received_count(), 1001U);
}

// Hence: the journal is the only thing that survives a crash.
TEST_F(BareBroker, ForgetsSessionsAndQueuesWhenItIsKilled) {
  const ClientOptions sleeping{.protocol = kMqtt311, .clean_start = false};
  {
    const auto away = plain(port(), "kept-nowhere", sleeping);
    away->subscribe("f/kill");
  }
  plain(port(), "kill-sender")->publish("f/kill", std::string("queued"));
  stack().kill("broker");
  stack().start("broker");
  EXPECT_FALSE(plain(port(), "kept-nowhere", sleeping)->session_present());
}

// Hence: a refusal of an MQTT 3.1.1 publish needs the error topic. ($SYS is closed to clients in every Mosquitto.)
TEST_F(BareBroker, CannotSayNoToAnMqtt311Publish) {
  EXPECT_EQ(plain(port(), "no-five")->publish("$SYS/x", std::string("x")), kNotAuthorised);
  EXPECT_EQ(plain(port(), "no-three", {.protocol = kMqtt311})->publish("$SYS/x", std::string("x")), 0);
}

struct PluginStack {
  static StackOptions options() { return {.plugin = {{"acl_mode", "allow"}}, .users = 20}; }
};

class BrokerWithPlugin : public StackSuite<PluginStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = stack().new_group(alice_, {bob_});
    sender_ = device(alice_);
    last_ = sender_->send(conv_, "in memory now");
    sender_->sent(last_);
  }
  std::string alice_, bob_, conv_, last_;
  std::unique_ptr<ChatClient> sender_;
};

// The question "may she subscribe?" comes before the SUBACK, and is what opens the tap.
TEST_F(BrokerWithPlugin, AnswersTheSubscribeBeforeTheFirstMessageOfTheCatchUp) {
  for (int i = 0; i < 50; ++i) sender_->send(conv_, "waiting");
  for (const int protocol : {4, 5}) {
    RawMqtt raw(port(), {.client_id = bob_ + "-raw" + std::to_string(protocol), .user = bob_, .protocol = protocol});
    raw.connect();
    raw.subscribe("chat/u/" + bob_ + "/#", 1, 9);
    const auto first = raw.receive();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->type, PacketType::kSuback);
    raw.expect(PacketType::kPublish,
               [](const Packet& packet) { return packet.payload.find("waiting") != std::string::npos; });
  }
}

// No plugin is shown that a session was resumed: until chat/sync nothing comes.
TEST_F(BrokerWithPlugin, DoesNotTellOfAResumedSession) {
  const DeviceOptions resuming{
      .device = bob_ + "-phone", .clean_start = false, .session_expiry_s = 3600, .subscribe = false};
  {
    const auto first = device(bob_, resuming);
    first->open();
    first->sync("end");
    first->acknowledge_all();
  }
  const auto watching = device(bob_);
  const auto again = device(bob_, resuming);
  ASSERT_TRUE(again->mqtt().session_present());
  const auto id = sender_->send(conv_, "x");
  watching->message_with_id(id);
  again->mqtt().publish("fence/nobody", std::string("a round trip"));
  EXPECT_TRUE(again->messages(conv_).empty()) << "the broker now tells: chat/sync could go";
  again->mqtt().publish("chat/sync", std::string("{}"));
  again->message_with_id(id);
}

// A message that is addressed to one client needs no subscription of it.
TEST_F(BrokerWithPlugin, GivesAClientWhatIsAddressedToItThoughItSubscribedToNothing) {
  const auto unsubscribed = device(bob_, {.subscribe = false});
  unsubscribed->mqtt().publish("chat/sync", std::string("{}"));
  unsubscribed->message_with_id(last_);
}

TEST_F(BrokerWithPlugin, ShowsAnUnsubscribe) {
  const auto receiver = device(bob_);
  receiver->message_with_id(last_);
  receiver->acknowledge_all();
  receiver->mqtt().unsubscribe(receiver->own("#"));
  const auto missed = sender_->send(conv_, "missed");
  sender_->message_with_id(missed);
  receiver->mqtt().publish("fence/nobody", std::string("a round trip"));
  EXPECT_EQ(receiver->messages(conv_).size(), 1U);
  receiver->open();
  receiver->message_with_id(missed);
  EXPECT_EQ(receiver->messages(conv_).size(), 2U);
}

// A will is asked about as a write, and never seen as a message: it can be refused, but not stamped.
TEST_F(BrokerWithPlugin, AsksAboutALastWillAndDoesNotShowIt) {
  MqttClient dying(port(), {.client_id = alice_ + "-dying",
                            .user = alice_,
                            .will = Will{.topic = message_topic(conv_), .payload = R"({"id":"will","body":"x"})"}});
  dying.connect();
  dying.drop();
  const auto error = sender_->mqtt().expect("the refusal of the will", [&](const Message& message) {
    return message.topic == sender_->own("error") && field(message, "topic") == message_topic(conv_);
  });
  EXPECT_EQ(error.json.at("code"), "not_allowed");
  EXPECT_EQ(sender_->sent(sender_->send(conv_, "next")).at("seq"), 2);
  auto looking = database();
  EXPECT_EQ(stored_count(looking, conv_), 2);
}

// The twenty-first QoS 2 message in front of its PUBREL is shown to the plugin, and then turned away by the broker. It
// is in the conversation by then; the sender who repeats it gets the same place.
TEST_F(BrokerWithPlugin, ShowsAQos2MessageThatItThenTurnsAway) {
  const auto receiver = device(bob_);
  RawMqtt raw(port(), {.client_id = alice_ + "-raw", .user = alice_, .protocol = 5});
  raw.connect();
  int turned_away = 0;
  const auto payload = [&](int i) { return text(alice_ + "-q-" + std::to_string(i), "x").dump(); };
  for (int i = 1; i <= 21; ++i) {
    raw.publish(message_topic(conv_), payload(i), {.qos = 2, .id = static_cast<std::uint16_t>(i)});
    if (raw.expect(PacketType::kPubrec).reason >= 0x80) ++turned_away;
  }
  EXPECT_EQ(turned_away, 1);
  for (int i = 1; i <= 20; ++i) {
    raw.answer(PacketType::kPubrel, static_cast<std::uint16_t>(i));
    raw.expect(PacketType::kPubcomp);
  }
  raw.publish(message_topic(conv_), payload(21), {.qos = 2, .id = 21});
  EXPECT_LT(raw.expect(PacketType::kPubrec).reason, 0x80);
  raw.answer(PacketType::kPubrel, 21);
  raw.expect(PacketType::kPubcomp);
  EXPECT_EQ(sender_->sent(sender_->send(conv_, "the last")).at("seq"), 23);
  receiver->expect_through(conv_, 23);
  EXPECT_EQ(receiver->seqs(conv_).size(), 23U);
}

}  // namespace
}  // namespace chat::test
