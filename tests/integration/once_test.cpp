// Guarantee 3: the same sender and id again (a retry after a reconnect, a QoS 1 resend, a QoS 2 DUP, after a broker
// restart) gets the same seq and reaches nobody twice; the same id with another payload is refused as id_conflict.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct OnceStack {
  static StackOptions options() { return {}; }
};

// A sender and a receiver in a conversation that is in memory: its first message is "first".
class Guarantee3Once : public StackSuite<OnceStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    conv_ = stack().new_group(users[0], {users[1]});
    sender_ = device(users[0]);
    receiver_ = device(users[1]);
    native_ = std::make_unique<MqttClient>(port(), ClientOptions{.client_id = users[1] + "-native", .user = users[1]});
    native_->connect();
    ASSERT_EQ(native_->subscribe(message_topic(conv_)), 1);
    ASSERT_EQ(sender_->sent(sender_->send(conv_, "first")).at("seq"), 1);
  }

  // Sends one more message: what the receivers have when it is there is all that there was before it.
  void expect_only(const std::string& id, std::int64_t seq) {
    const auto last = sender_->send(conv_, "the last");
    EXPECT_EQ(sender_->sent(last).at("seq").get<std::int64_t>(), seq + 1) << "a number was used up";
    receiver_->message_with_id(last);
    native_->expect("the last", [&](const Message& message) { return field(message, "id") == last; });
    for (auto* client : {&receiver_->mqtt(), native_.get()}) {
      const auto copies = client->received([&](const Message& message) { return field(message, "id") == id; });
      EXPECT_EQ(copies.size(), 1U) << client->id();
      for (const auto& copy : copies) EXPECT_EQ(copy.json.at("seq").get<std::int64_t>(), seq) << client->id();
    }
    auto looking = database();
    std::int64_t times = 0;
    for (const auto& row : stored_messages(looking, conv_)) times += row.id == id ? 1 : 0;
    EXPECT_EQ(times, 1) << "rows in PostgreSQL";
  }

  // Where it stands last in the journal: in the numbered message, which is behind the publish that waited.
  void flip_last_byte_of(const std::string& id) const {
    for (const auto& entry : std::filesystem::directory_iterator(stack().folder() + "/journal")) {
      if (entry.path().extension() != ".seg") continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      const auto at = bytes.rfind('"' + id + '"');
      if (at == std::string::npos) continue;
      ASSERT_NE(bytes.find('"' + id + '"'), at) << "it did not wait";
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(bytes[at] ^ 1));
      ASSERT_TRUE(file.flush());
      return;
    }
    FAIL() << id << " is not in the journal";
  }

  std::string payload(const std::string& id) const { return text(id, "once").dump(); }

  std::string conv_;
  std::unique_ptr<ChatClient> sender_;
  std::unique_ptr<ChatClient> receiver_;
  std::unique_ptr<MqttClient> native_;
};

TEST_F(Guarantee3Once, AQos2DuplicateBeforePubrelGetsOneNumber) {
  for (const int protocol : {4, 5}) {
    const auto id = sender_->new_id();
    RawMqtt raw(port(), {.client_id = id + "-raw", .user = sender_->user(), .protocol = protocol});
    ASSERT_EQ(raw.connect(), 0);
    raw.publish(message_topic(conv_), payload(id), {.qos = 2, .id = 5});
    EXPECT_EQ(raw.expect(PacketType::kPubrec).reason & 0x80, 0);
    raw.publish(message_topic(conv_), payload(id), {.qos = 2, .id = 5, .dup = true});
    EXPECT_EQ(raw.expect(PacketType::kPubrec).reason & 0x80, 0);
    raw.answer(PacketType::kPubrel, 5);
    raw.expect(PacketType::kPubcomp);
    const auto seq = sender_->sent(id).at("seq").get<std::int64_t>();
    expect_only(id, seq);
  }
}

TEST_F(Guarantee3Once, AQos2MessageReachesEveryone) {
  const auto id = sender_->new_id();
  EXPECT_LT(sender_->mqtt().publish(message_topic(conv_), payload(id), {.qos = 2}), 0x80);
  expect_only(id, 2);
}

TEST_F(Guarantee3Once, AQos1DuplicateGetsOneNumber) {
  const auto id = sender_->new_id();
  RawMqtt raw(port(), {.client_id = id + "-raw", .user = sender_->user()});
  ASSERT_EQ(raw.connect(), 0);
  for (int i = 0; i < 3; ++i) {
    raw.publish(message_topic(conv_), payload(id), {.qos = 1, .id = 6, .dup = i > 0});
    EXPECT_EQ(raw.expect(PacketType::kPuback).id, 6);
  }
  expect_only(id, 2);
}

TEST_F(Guarantee3Once, ARetryAfterAReconnectGetsTheSameNumberInItsAck) {
  const auto id = sender_->new_id();
  sender_->mqtt().publish(message_topic(conv_), payload(id));
  const auto before = sender_->sent(id);
  sender_->mqtt().drop();
  const auto again = device(sender_->user());
  EXPECT_LT(again->mqtt().publish(message_topic(conv_), payload(id)), 0x80);
  EXPECT_EQ(again->sent(id), before);
  sender_->connect();
  expect_only(id, before.at("seq"));
}

TEST_F(Guarantee3Once, ARetryAfterARestartOfTheBrokerGetsTheSameNumberInItsAck) {
  for (const bool crash : {false, true}) {
    const auto id = sender_->new_id();
    sender_->mqtt().publish(message_topic(conv_), payload(id));
    const auto before = sender_->sent(id);
    receiver_->message_with_id(id);
    receiver_->acknowledge_all();
    if (crash) stack().kill("broker");
    if (!crash) stack().stop("broker");
    stack().start("broker");
    sender_->mqtt().forget();
    sender_->connect();
    receiver_->connect();
    native_->connect();
    native_->subscribe(message_topic(conv_));
    EXPECT_LT(sender_->mqtt().publish(message_topic(conv_), payload(id)), 0x80);
    EXPECT_EQ(sender_->sent(id), before) << (crash ? "after a crash" : "after a restart");
    expect_only(id, before.at("seq"));
  }
}

TEST_F(Guarantee3Once, TheSameIdWithAnotherPayloadIsRefused) {
  const auto id = sender_->new_id();
  sender_->mqtt().publish(message_topic(conv_), payload(id));
  EXPECT_EQ(sender_->mqtt().publish(message_topic(conv_), text(id, "something else")), kNotAuthorised);
  const auto error = sender_->error_for(id);
  EXPECT_EQ(error.at("code"), "id_conflict");
  EXPECT_EQ(error.at("topic"), message_topic(conv_));
  expect_only(id, 2);
}

TEST_F(Guarantee3Once, AnIdIsTheSendersOwnAcrossAllConversations) {
  const auto other = stack().new_group(sender_->user(), {receiver_->user()});
  sender_->sent(sender_->send(other, "in memory now"));
  const auto id = sender_->new_id();
  sender_->mqtt().publish(message_topic(conv_), payload(id));
  EXPECT_EQ(sender_->mqtt().publish(message_topic(other), payload(id)), kNotAuthorised);
  EXPECT_EQ(sender_->error_for(id).at("code"), "id_conflict");
  // Somebody else's id is another id.
  EXPECT_LT(receiver_->mqtt().publish(message_topic(other), payload(id)), 0x80);
  EXPECT_EQ(receiver_->sent(id).at("seq"), 2);
  EXPECT_EQ(sender_->sent(id).at("seq"), 2);
}

TEST_F(Guarantee3Once, AnIdIsAskedOfAConversationThatIsNotInMemoryAsWell) {
  const auto other = stack().new_group(sender_->user(), {receiver_->user()});
  const auto id = sender_->new_id();
  sender_->mqtt().publish(message_topic(conv_), payload(id));
  sender_->mqtt().publish(message_topic(other), payload(id));  // parked first: only the error topic can say no
  EXPECT_EQ(sender_->error_for(id).at("code"), "id_conflict");
  expect_only(id, 2);
}

TEST_F(Guarantee3Once, ADirectMessageAndItsConversationAreTheSamePlace) {
  const auto dm = direct_conversation(sender_->user(), receiver_->user());
  const auto id = sender_->new_id();
  sender_->mqtt().publish(direct_topic(receiver_->user()), payload(id));
  const auto before = sender_->sent(id);
  EXPECT_EQ(before.at("conv"), dm);
  sender_->mqtt().forget();
  EXPECT_LT(sender_->mqtt().publish(message_topic(dm), payload(id)), 0x80);
  EXPECT_EQ(sender_->sent(id), before);
  const auto last = sender_->send_direct(receiver_->user(), "the last");
  receiver_->message_with_id(last);
  EXPECT_EQ(receiver_->messages(dm).size(), 2U);
}

// Its publish is in the journal for as long as anything else in that segment, and so many ids later its sender's memory
// does not know it any more: a byte that turned over in what PostgreSQL had long made the broker send it once more.
// (Found by chaos.)
TEST_F(Guarantee3Once, WhatWaitedForPostgresIsNotSentAgainBehindADamagedJournal) {
  stack().kill("broker");
  stack().freeze_postgres();
  stack().start("broker");
  const auto id = sender_->new_id();
  MqttClient early(port(), {.client_id = id + "-early", .user = sender_->user()});
  early.connect();
  EXPECT_LT(early.publish(message_topic(conv_), payload(id)), 0x80);
  stack().thaw_postgres();
  sender_->mqtt().forget();
  sender_->connect();
  constexpr int kMany = 300;  // more than `recent_ids`
  std::string last;
  for (int i = 0; i < kMany; ++i) last = sender_->send(conv_, "many");
  EXPECT_EQ(sender_->sent(last).at("seq"), 2 + kMany);

  stack().kill("broker");
  flip_last_byte_of(id);
  stack().start("broker");
  EXPECT_NE(stack().broker_log_tail().find("The journal is damaged"), std::string::npos);
  sender_->mqtt().forget();
  sender_->connect();
  EXPECT_EQ(sender_->sent(sender_->send(conv_, "the last")).at("seq"), 2 + kMany + 1);
  auto looking = database();
  EXPECT_EQ(std::ranges::count(stored_messages(looking, conv_), id, &StoredRow::id), 1);
}

TEST_F(Guarantee3Once, MessagesWithoutAnIdAreEachTheirOwn) {
  const std::string same = R"({"body":"no id"})";
  sender_->mqtt().publish(message_topic(conv_), same);
  sender_->mqtt().publish(message_topic(conv_), same);
  receiver_->message(conv_, 3);
  EXPECT_EQ(receiver_->messages(conv_).size(), 3U);
}

}  // namespace
}  // namespace chat::test
