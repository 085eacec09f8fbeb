// Guarantee 1: in a conversation the accepted messages have seq 1, 2, 3 … with no hole and no repeat, across restarts
// and crashes; server_time never falls; every receiver sees the same bytes for the same seq.
#include <gtest/gtest.h>

#include <map>

#include "tests/support/broker_version.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"
#include "tests/support/websocket_relay.h"

namespace chat::test {
namespace {

struct OrderStack {
  static StackOptions options() { return {}; }
};
using Guarantee1Order = StackSuite<OrderStack>;

std::vector<std::int64_t> one_to(std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 1; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST_F(Guarantee1Order, EveryReceiverSeesTheSameBytesInOrderWithoutAHole) {
  constexpr int kSenders = 4;
  constexpr int kEach = 250;
  const auto users = stack().new_users(kSenders);
  const auto conv = stack().new_group(users[0], {users[1], users[2], users[3]});
  std::vector<std::unique_ptr<ChatClient>> devices;
  for (const auto& user : users) devices.push_back(device(user, {.acknowledge_every = 20}));
  // The broker's own fan-out, without an inbox.
  MqttClient native(port(), {.client_id = users[1] + "-native", .user = users[1]});
  native.connect();
  ASSERT_EQ(native.subscribe(message_topic(conv)), 1);

  std::map<std::string, std::string> written;  // id to payload
  for (int i = 0; i < kEach; ++i) {
    for (const auto& sender : devices) {
      const auto id = sender->new_id();
      written[id] = text(id, "number " + std::to_string(i)).dump();
      sender->mqtt().publish_async(message_topic(conv), written[id], nullptr);
    }
  }

  std::map<std::int64_t, std::string> bytes;
  for (const auto& receiver : devices) {
    receiver->expect_through(conv, kSenders * kEach);
    EXPECT_EQ(receiver->seqs(conv), one_to(kSenders * kEach)) << receiver->device();
    std::int64_t time = 0;
    std::map<std::string, int> last_number;
    for (const auto& message : receiver->messages(conv)) {
      const auto seq = message.json.at("seq").get<std::int64_t>();
      const auto [first, is_first] = bytes.emplace(seq, message.payload);
      EXPECT_EQ(first->second, message.payload) << "seq " << seq << " at " << receiver->device();
      EXPECT_EQ(without_server_fields(message), written[message.json.at("id")]);
      EXPECT_GE(message.json.at("server_time").get<std::int64_t>(), time);
      time = message.json.at("server_time");
      // One sender's messages in the order in which it sent them.
      const int number = std::stoi(message.json.at("body").get<std::string>().substr(7));
      const auto from = message.json.at("from").get<std::string>();
      const auto last = last_number.emplace(from, -1).first;
      EXPECT_EQ(number, last->second + 1) << from;
      last->second = number;
    }
  }
  const auto routed = native.expect_many("natively routed messages", kSenders * kEach, [](const Message& message) {
    return message.json.is_object() && message.json.contains("seq");
  });
  std::int64_t expected = 0;
  for (const auto& message : routed) {
    EXPECT_EQ(message.json.at("seq").get<std::int64_t>(), ++expected);
    EXPECT_EQ(message.payload, bytes[expected]);
  }
}

TEST_F(Guarantee1Order, PostgresHoldsTheSameNumbersTimesAndBytes) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto receiver = device(users[1]);
  // Spacing, order of fields, unknown fields, escapes and numbers stay as the client wrote them.
  const std::vector<std::string> written{
      R"({"id":"p-1","body":"plain"})",
      R"({ "body" : {"nested":[1, 2.50, 1e3]} ,"id":"p-2", "unknown":null})",
      R"({"body":"\u00e9\ud83d\udc4d\/","x":{"seq":9},"id":"p-3","type":"emoji"})",
  };
  for (const auto& payload : written) ASSERT_LT(sender->mqtt().publish(message_topic(conv), payload), 0x80);
  sender->sent("p-3");
  auto looking = database();
  const auto rows = stored_messages(looking, conv);
  ASSERT_EQ(rows.size(), written.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto seq = static_cast<std::int64_t>(i) + 1;
    const auto delivered = receiver->message(conv, seq);
    EXPECT_EQ(rows[i].seq, seq);
    EXPECT_EQ(rows[i].sender, users[0]);
    EXPECT_EQ(rows[i].payload, written[i]);
    EXPECT_EQ(rows[i].server_time, delivered.json.at("server_time").get<std::int64_t>());
    const auto tail = written[i].substr(1);
    EXPECT_EQ(delivered.payload.substr(delivered.payload.size() - tail.size()), tail);
  }
}

TEST_F(Guarantee1Order, TheServersFieldsComeFirstAndInOrder) {
  const auto user = stack().new_user();
  const auto conv = stack().new_group(user);
  const auto alone = device(user);
  alone->send(conv, "x");
  const auto message = alone->message(conv, 1);
  std::vector<std::string> names;
  const auto object = nlohmann::ordered_json::parse(message.payload);
  for (const auto& [name, value] : object.items()) names.push_back(name);
  const std::vector<std::string> expected{"conv", "seq", "server_time", "from", "mid"};
  ASSERT_GE(names.size(), expected.size());
  names.resize(expected.size());
  EXPECT_EQ(names, expected);
  EXPECT_EQ(message.json.at("from"), user);
  EXPECT_EQ(message.json.at("conv"), conv);
  const auto mid = message.json.at("mid").get<std::string>();
  ASSERT_EQ(mid.size(), 36U);
  EXPECT_EQ(mid[14], '7') << "not a UUID of version 7: " << mid;
}

TEST_F(Guarantee1Order, ConversationsCountEachForThemselves) {
  const auto user = stack().new_user();
  const auto one = stack().new_group(user);
  const auto other = stack().new_group(user);
  const auto alone = device(user);
  for (int i = 1; i <= 3; ++i) {
    const auto first = alone->send(one, "x");
    const auto second = alone->send(other, "x");
    EXPECT_EQ(alone->sent(first).at("seq"), i);
    EXPECT_EQ(alone->sent(second).at("seq"), i);
  }
}

TEST_F(Guarantee1Order, ARefusedMessageTakesNoNumber) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0]);
  const auto member = device(users[0]);
  const auto stranger = device(users[1]);
  member->sent(member->send(conv, "one"));  // from now on it is in memory, and refusals come in the acknowledgement
  EXPECT_EQ(member->mqtt().publish(message_topic(conv), std::string(R"({"seq":7,"body":"forged"})")), kNotAuthorised);
  EXPECT_EQ(stranger->mqtt().publish(message_topic(conv), text("s-1", "strange")), kNotAuthorised);
  EXPECT_EQ(member->mqtt().publish(message_topic(conv), std::string("{")), kNotAuthorised);
  EXPECT_EQ(member->sent(member->send(conv, "two")).at("seq"), 2);
}

TEST_F(Guarantee1Order, NumbersAndTimesGoOnBehindARestartAndBehindACrash) {
  const auto user = stack().new_user();
  const auto conv = stack().new_group(user);
  const auto alone = device(user);
  std::int64_t time = 0;
  std::int64_t seq = 0;
  const auto send_some = [&] {
    for (int i = 0; i < 5; ++i) {
      const auto ack = alone->sent(alone->send(conv, "x"));
      EXPECT_EQ(ack.at("seq").get<std::int64_t>(), ++seq);
      EXPECT_GE(ack.at("server_time").get<std::int64_t>(), time);
      time = ack.at("server_time");
    }
  };
  send_some();
  stack().restart("broker");
  alone->connect();
  send_some();
  stack().kill("broker");
  stack().start("broker");
  alone->connect();
  send_some();
}

// Mosquitto addresses what the plugin hands out by client id, and sends it one turn later: whoever has the id by then.
// So a message for one connection came out of the next one's, in front of its SUBACK, ahead of what it had not had yet.
TEST_F(Guarantee1Order, WhatIsMeantForAConnectionIsNotGivenToTheOneThatTakesItsClientId) {
  const auto users = stack().new_users(2);
  if (broker_version(device(users[0])->mqtt()).starts_with("2.1."))
    GTEST_SKIP() << "Mosquitto 2.1 leaves no moment to prevent it: README.md, Limitations";
  const auto conv = stack().new_group(users[0], {users[1]});
  RawMqtt sender(port(), {.client_id = users[0] + "-raw", .user = users[0]});
  sender.connect();
  int sent = 0;
  const auto send = [&] {
    const auto number = std::to_string(++sent);
    sender.publish(message_topic(conv), text("taken-" + number, number).dump(),
                   {.qos = 1, .id = static_cast<std::uint16_t>(sent)});
  };
  const auto is_inbox = [&](const Packet& packet) { return packet.topic == "chat/u/" + users[1] + "/inbox"; };
  const auto expect_seq = [&](RawMqtt& connection, int seq) {
    const auto message = connection.expect(PacketType::kPublish, is_inbox);
    EXPECT_EQ(nlohmann::json::parse(message.payload).at("seq"), seq);
  };
  const WebsocketRelay relay(std::stoi(stack().value("CHAT_WS_PORT")));
  for (const int through : {port(), relay.port()}) {
    const bool websocket = through != port();
    SCOPED_TRACE(websocket ? "over a WebSocket" : "over TCP");
    const RawOptions device{.client_id = users[1] + (websocket ? "-browser" : "-phone"), .user = users[1]};
    const int had = sent;
    RawMqtt before(through, device);
    before.connect();
    before.subscribe("chat/u/" + users[1] + "/#", 1, 1);
    send();
    for (int seq = 1; seq <= sent; ++seq) expect_seq(before, seq);

    // Both wait in the broker's sockets when it goes on: it reads them in one turn.
    RawMqtt after(through, device);
    if (websocket) eventually("both WebSockets are open", [&] { return relay.opened() == 2; });
    stack().kill("broker", "STOP");
    send();
    after.send_bytes(connect_packet({.protocol = device.protocol, .client_id = device.client_id, .user = device.user}));
    after.ping();
    stack().kill("broker", "CONT");
    after.expect(PacketType::kConnack);
    for (const auto& packet : after.until_pong()) {
      ADD_FAILURE() << "in front of any SUBSCRIBE came " << packet.topic << ": " << packet.payload;
    }
    // It lost nothing by that.
    after.subscribe("chat/u/" + users[1] + "/#", 1, 1);
    for (int seq = 1; seq <= had + 2; ++seq) expect_seq(after, seq);
  }
}

}  // namespace
}  // namespace chat::test
