// What MQTT itself brings along: websockets, retained messages, shared subscriptions, topics that are none of ours, a
// reload of the broker's configuration, odd clients.
#include <gtest/gtest.h>
#include <mqtt/async_client.h>

#include "tests/support/message_load.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct TransportStack {
  static StackOptions options() { return {.plugin = {{"acl_mode", "allow"}}}; }
};
using Transport = StackSuite<TransportStack>;

// libmosquitto speaks no websockets; Paho does.
TEST_F(Transport, ABrowsersWebsocketChatsLikeAnyOther) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto other = device(users[1]);
  ::mqtt::async_client browser("ws://127.0.0.1:" + stack().value("CHAT_WS_PORT"), users[0] + "-browser");
  browser.start_consuming();
  const auto options = ::mqtt::connect_options_builder().user_name(users[0]).password("demo").finalize();
  browser.connect(options)->wait();
  browser.subscribe("chat/u/" + users[0] + "/#", 1)->wait();
  browser.publish(message_topic(conv), R"({"id":"w-1","body":"from a browser"})", 1, false)->wait();
  EXPECT_EQ(other->message_with_id("w-1").json.at("body"), "from a browser");
  const auto id = other->send(conv, "to a browser");
  for (;;) {
    ::mqtt::const_message_ptr message;
    ASSERT_TRUE(browser.try_consume_message_for(&message, kPatience)) << "the browser got nothing";
    if (message->get_payload_str().find(id) == std::string::npos) continue;
    EXPECT_EQ(message->get_topic(), "chat/u/" + users[0] + "/inbox");
    break;
  }
  browser.disconnect()->wait();
}

TEST_F(Transport, ARetainedPublishIsDeliveredButNotRetained) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto receiver = device(users[1]);
  MqttClient native(port(), {.client_id = users[1] + "-native", .user = users[1]});
  native.connect();
  sender->sent(sender->send(conv, "in memory now"));
  native.subscribe(message_topic(conv));
  for (const auto& topic : {message_topic(conv), direct_topic(users[1])}) {
    const auto id = sender->new_id();
    EXPECT_LT(sender->mqtt().publish(topic, text(id, "retained?"), {.retain = true}), 0x80);
    EXPECT_FALSE(receiver->message_with_id(id).retain);
  }
  native.expect("the native copy", [](const Message& message) { return field(message, "body") == "retained?"; });
  MqttClient late(port(), {.client_id = users[1] + "-late", .user = users[1]});
  late.connect();
  late.subscribe({message_topic(conv), "chat/u/" + users[1] + "/#"});
  late.expect("the end of the catch-up", [](const Message& message) { return field(message, "state") == "end"; });
  EXPECT_TRUE(late.received([](const Message& message) { return message.retain; }).empty());
  EXPECT_TRUE(late.received([&](const Message& message) { return message.topic == message_topic(conv); }).empty());
}

TEST_F(Transport, MembersMayShareASubscriptionToAConversation) {
  constexpr int kMessages = 40;
  const auto users = stack().new_users(3);
  const auto conv = stack().new_group(users[0], {users[1], users[2]});
  const auto sender = device(users[0]);
  sender->sent(sender->send(conv, "in memory now"));
  std::vector<std::unique_ptr<MqttClient>> workers;
  for (const auto& user : {users[1], users[2]}) {
    workers.push_back(std::make_unique<MqttClient>(port(), ClientOptions{.client_id = user + "-worker", .user = user}));
    workers.back()->connect();
    ASSERT_EQ(workers.back()->subscribe("$share/workers/" + message_topic(conv)), 1);
  }
  for (int i = 0; i < kMessages; ++i) sender->send(conv, "work");
  std::multiset<std::int64_t> done;
  eventually("each message at one of them", [&] {
    done.clear();
    for (const auto& worker : workers) {
      for (const auto& message : worker->received()) done.insert(message.json.at("seq").get<std::int64_t>());
    }
    return done.size() >= kMessages;
  });
  EXPECT_EQ(done.size(), static_cast<std::size_t>(kMessages));
  EXPECT_EQ(std::set<std::int64_t>(done.begin(), done.end()).size(), static_cast<std::size_t>(kMessages));
}

TEST_F(Transport, TopicsOutsideTheChatBehaveAsInAnyBroker) {
  const auto users = stack().new_users(2);
  MqttClient one(port(), {.client_id = users[0] + "-plain", .user = users[0]});
  MqttClient other(port(), {.client_id = users[1] + "-plain", .user = users[1], .protocol = kMqtt311});
  one.connect();
  other.connect();
  const auto root = "house/" + users[0];
  other.subscribe(root + "/#", 2);
  for (const int qos : {0, 1, 2}) {
    const auto topic = root + "/" + std::to_string(qos);
    EXPECT_EQ(one.publish(topic, std::string("\x00\x01 any bytes {", 13), {.qos = qos}), 0);
    const auto got =
        other.expect("QoS " + std::to_string(qos), [&](const Message& message) { return message.topic == topic; });
    EXPECT_EQ(got.payload, std::string("\x00\x01 any bytes {", 13)) << "changed";
    EXPECT_EQ(got.qos, qos);
  }
  // Retained messages, wills, and names that only look like ours.
  one.publish(root + "/kept", std::string("retained"), {.retain = true});
  MqttClient late(port(), {.client_id = users[1] + "-later", .user = users[1]});
  late.connect();
  late.subscribe(root + "/kept");
  EXPECT_TRUE(late.expect("the retained", [](const Message& message) { return message.payload == "retained"; }).retain);
  one.publish(root + "/kept", std::string(), {.retain = true});
  for (const auto& topic :
       {std::string("chatter/c/x/msg"), std::string("Chat/u/x/inbox"), std::string("/chat/u/x/inbox")}) {
    late.subscribe(topic);
    EXPECT_EQ(one.publish(topic, std::string(R"({"seq":1})")), 0) << topic;
    late.expect(topic,
                [&](const Message& message) { return message.topic == topic && message.payload == R"({"seq":1})"; });
  }
}

TEST_F(Transport, AReloadUnderLoadLosesNothingAndKeepsEveryConnection) {
  const auto users = stack().new_users(3);
  const auto conv = stack().new_group(users[0], {users[1], users[2]});
  const auto receiver = device(users[1], {.acknowledge_every = 20});
  OperationLog log("reload");
  const auto broker = stack().broker_pid();
  MessageLoad load(port(), {users[0], users[2]}, {conv}, log);
  load.start();
  constexpr int kReloads = 10;
  for (int i = 0; i < kReloads; ++i) {
    const auto before = load.acknowledged();
    stack().reload_broker();
    eventually("messages behind the reload", [&] { return load.acknowledged() > before + 30; });
  }
  load.finish();
  EXPECT_TRUE(receiver->mqtt().connected());
  const auto count = static_cast<std::int64_t>(log.count("published"));
  receiver->expect_through(conv, count);
  auto looking = database();
  expect_stored(looking, conv, count);
  EXPECT_TRUE(problems(log, stored_messages(looking, conv)).empty()) << log.keep();
  EXPECT_EQ(stack().broker_pid(), broker);
}

TEST_F(Transport, ATakenOverConnectionGoesOnAtTheNewOne) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto phone = users[1] + "-phone";
  for (const bool clean : {true, false}) {
    const DeviceOptions same{.device = phone, .clean_start = clean, .session_expiry_s = clean ? 0U : 60U};
    const auto first = device(users[1], same);
    first->message_with_id(sender->send(conv, "to the first"));
    first->acknowledge_all();
    const auto second = device(users[1], same);  // the broker closes the first
    eventually("the first connection's end", [&] { return !first->mqtt().connected(); });
    const auto id = sender->send(conv, "to the second");
    second->message_with_id(id);
    second->acknowledge_all();
    EXPECT_EQ(second->messages(conv).size(), 1U) << "clean " << clean;
  }
}

TEST_F(Transport, AConnectionThatVanishedDoesNotStopTheOthers) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  for (int i = 0; i < 20; ++i) {
    RawMqtt vanishing(port(), {.client_id = users[1] + "-raw", .user = users[1]});
    vanishing.connect();
    vanishing.subscribe("chat/u/" + users[1] + "/#", 1, 1);
    if (i % 2 == 0) vanishing.expect(PacketType::kSuback);
    sender->mqtt().publish_async(message_topic(conv), text(sender->new_id(), "x").dump(), nullptr);
    if (i % 3 == 0) vanishing.reset();
  }
  const auto back = device(users[1], {.acknowledge_every = 5});
  back->expect_through(conv, 20);
}

TEST_F(Transport, ManyFiltersThatOverlapBringEachMessageToTheInboxOnce) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto receiver = device(users[1]);
  receiver->mqtt().subscribe({receiver->own("inbox"), receiver->own("+"), "#", receiver->own("#")});
  const auto id = sender->send(conv, "once");
  receiver->message_with_id(id);
  receiver->message_with_id(sender->send(conv, "the last"));
  std::size_t copies = 0;
  for (const auto& message : receiver->messages(conv)) copies += field(message, "id") == id ? 1 : 0;
  EXPECT_EQ(copies, 1U);
}

TEST_F(Transport, SubscribingAtQos0And2Works) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  for (const int qos : {0, 2}) {
    MqttClient receiver(port(), {.client_id = users[1] + "-qos" + std::to_string(qos), .user = users[1]});
    receiver.connect();
    receiver.subscribe("chat/u/" + users[1] + "/#", qos);
    const auto id = sender->send(conv, "x");
    const auto got = receiver.expect("the message", [&](const Message& message) { return field(message, "id") == id; });
    EXPECT_EQ(got.qos, std::min(qos, 1));
  }
}

}  // namespace
}  // namespace chat::test
