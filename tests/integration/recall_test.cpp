// Guarantee 5: after a recall nobody who had not yet received the text receives it: a tombstone comes in its place; who
// had it gets an event. Who may recall what, and until when.
#include <gtest/gtest.h>

#include "tests/support/commanding.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct RecallStack {
  static StackOptions options() { return {.users = 80}; }
};

constexpr const char* kRecalled = "message.recalled";
constexpr const char* kSecret = "the secret text";

// Alice owns a group of bob, carol and herself.
class Guarantee5Recall : public StackSuite<RecallStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(3);
    alice_ = users[0];
    bob_ = users[1];
    carol_ = users[2];
    conv_ = stack().new_group(alice_, {bob_, carol_});
    looking_ = std::make_unique<Database>(stack().pg());
  }

  // A device that was here before, is away now, and has nothing of what is sent from now on.
  std::string away(const std::string& user) {
    const auto id = user + "-away";
    const auto known = device(user, {.device = id});
    known->sync("end");
    known->acknowledge_all();
    return id;
  }

  // Sends and waits for the commit; answers the seq.
  std::int64_t say(ChatClient& client, const std::string& body = kSecret) {
    return client.sent(client.send(conv_, body)).at("seq");
  }

  // As if it had been sent that long ago: in another month, where this one is young.
  void age(std::int64_t seq, std::int64_t seconds) {
    const auto message = " WHERE conv_id = (SELECT id FROM conversations WHERE name = " + looking_->quote(conv_) +
                         ") AND seq = " + std::to_string(seq);
    const auto then = "server_time - " + std::to_string(seconds * 1000);
    looking_->query("SELECT chat_make_month(" + then + ") FROM messages" + message);
    looking_->query("UPDATE messages SET server_time = " + then + message);
  }

  void expect_recalled(ChatClient& witness, std::int64_t seq, const std::string& by) {
    const auto event = event_about(witness, kRecalled, conv_, seq).json;
    EXPECT_EQ(event.at("by"), by);
    const nlohmann::json tombstone{{"recalled", true}, {"by", by}, {"at", event.at("server_time")}};
    EXPECT_EQ(nlohmann::json::parse(stored_payload(*looking_, conv_, seq)), tombstone);
    EXPECT_EQ(stored_events(*looking_, kRecalled, conv_, seq), 1);
  }

  // Nothing that was ever delivered to it holds the text.
  static void expect_no_secret(MqttClient& client) {
    for (const auto& message : client.received()) {
      EXPECT_EQ(message.payload.find(kSecret), std::string::npos) << client.id() << " got " << message.payload;
    }
  }

  std::string alice_;
  std::string bob_;
  std::string carol_;
  std::string conv_;
  std::unique_ptr<Database> looking_;
};

TEST_F(Guarantee5Recall, OnesOwnMessageWithinTheWindowBecomesATombstone) {
  const auto bob = device(bob_);
  const auto carol = device(carol_);
  const auto id = bob->new_id();
  nlohmann::json message{{"id", id}, {"body", kSecret}, {"mentions", {carol_}}, {"ttl", 3600}};
  bob->mqtt().publish(message_topic(conv_), message);
  const std::int64_t seq = bob->sent(id).at("seq");
  EXPECT_EQ(carol->message(conv_, seq).json.at("body"), kSecret);
  const auto phone = away(alice_);
  give_command(*bob, conv_, "recall", seq);
  for (auto* witness : {bob.get(), carol.get()}) expect_recalled(*witness, seq, bob_);
  EXPECT_EQ(looking_->number("SELECT count(*) FROM voids v JOIN conversations c ON c.id = v.conv_id WHERE c.name = " +
                             looking_->quote(conv_) + " AND v.first_seq = 1 AND v.last_seq = 1"),
            1);
  EXPECT_EQ(looking_->number("SELECT count(*) FROM messages WHERE mentions IS NOT NULL AND payload LIKE '%recalled%'"),
            0);
  EXPECT_EQ(looking_->number("SELECT count(*) FROM recalled_messages"), 0) << "the text is to be gone";
}

TEST_F(Guarantee5Recall, OnesOwnMessageBehindTheWindowIsTooLate) {
  const auto bob = device(bob_);
  const auto seq = say(*bob);
  age(seq, 121);
  const auto id = give_command(*bob, conv_, "recall", seq);
  const auto error = bob->error_for(id);
  EXPECT_EQ(error.at("code"), "too_late");
  EXPECT_EQ(error.at("topic"), "chat/c/" + conv_ + "/recall");
  EXPECT_NE(stored_payload(*looking_, conv_, seq).find(kSecret), std::string::npos);
  EXPECT_EQ(stored_events(*looking_, kRecalled, conv_, seq), 0);
}

// The bridge was away for long: what counts is when the user gave the command.
TEST_F(Guarantee5Recall, ARecallThatWaitedForTheBridgeIsNoLaterForIt) {
  const auto bob = device(bob_);
  const auto seq = say(*bob);
  stack().stop("bridge");
  give_command(*bob, conv_, "recall", seq);
  eventually("the command in PostgreSQL", [&] { return commands_waiting(*looking_) == 1; });
  looking_->query("UPDATE commands SET server_time = server_time - 300000");
  age(seq, 310);
  stack().start("bridge");
  expect_recalled(*bob, seq, bob_);
}

TEST_F(Guarantee5Recall, TheOwnerAndAdminsRecallAnybodysAtAnyTime) {
  stack().chatctl({"member", "add", conv_, carol_, "--role", "admin"});
  const auto bob = device(bob_);
  for (const auto& keeper : {alice_, carol_}) {
    const auto seq = say(*bob);
    age(seq, 24 * 3600);
    const auto giving = device(keeper);
    give_command(*giving, conv_, "recall", seq);
    expect_recalled(*bob, seq, keeper);
  }
}

TEST_F(Guarantee5Recall, WhoIsNeitherMayNot) {
  const auto bob = device(bob_);
  const auto carol = device(carol_);
  const auto stranger = device(stack().new_user());
  const auto seq = say(*bob);
  EXPECT_EQ(carol->error_for(give_command(*carol, conv_, "recall", seq)).at("code"), "not_allowed");
  EXPECT_EQ(stranger->mqtt().publish("chat/c/" + conv_ + "/recall", nlohmann::json{{"seq", seq}}), kNotAuthorised);
  EXPECT_EQ(stranger->error("not_member").at("topic"), "chat/c/" + conv_ + "/recall");
  EXPECT_EQ(stored_events(*looking_, kRecalled, conv_, seq), 0);
}

TEST_F(Guarantee5Recall, WhoIsNoMemberAnyMoreMayNot) {
  const auto bob = device(bob_);
  const auto seq = say(*bob);
  stack().stop("bridge");
  const auto id = give_command(*bob, conv_, "recall", seq);
  eventually("the command in PostgreSQL", [&] { return commands_waiting(*looking_) == 1; });
  stack().chatctl({"member", "remove", conv_, bob_});
  stack().start("bridge");
  EXPECT_EQ(bob->error_for(id).at("code"), "not_member");
}

TEST_F(Guarantee5Recall, AMessageThatIsNotThereIsNotFound) {
  const auto bob = device(bob_);
  const auto seq = say(*bob);
  say(*bob, "one more");
  EXPECT_EQ(bob->mqtt().publish("chat/c/" + conv_ + "/recall", nlohmann::json{{"seq", 3}}), kNotAuthorised);
  EXPECT_EQ(bob->error("not_found").at("topic"), "chat/c/" + conv_ + "/recall");
  // Its month was dropped.
  looking_->query("DELETE FROM messages WHERE seq = 1 AND conv_id = (SELECT id FROM conversations WHERE name = " +
                  looking_->quote(conv_) + ")");
  EXPECT_EQ(bob->error_for(give_command(*bob, conv_, "recall", seq)).at("code"), "not_found");
}

TEST_F(Guarantee5Recall, RecallingTwiceSaysTheSameThingTwiceToWhoAsks) {
  const auto bob = device(bob_);
  const auto alice = device(alice_);
  const auto seq = say(*bob);
  const auto recalled = [&](const ChatClient& client) {
    std::vector<std::string> payloads;
    for (const auto& event : events_of(client, conv_)) {
      if (field(event, "kind") == kRecalled) payloads.push_back(event.payload);
    }
    return payloads;
  };
  for (int i = 0; i < 3; ++i) give_command(*bob, conv_, "recall", seq);
  give_command(*alice, conv_, "recall", seq);
  eventually("the last word", [&] { return recalled(*bob).size() == 3 && recalled(*alice).size() == 2; });
  for (const auto& payload : recalled(*bob)) EXPECT_EQ(payload, recalled(*bob)[0]);
  EXPECT_EQ(recalled(*alice)[1], recalled(*bob)[0]);
  EXPECT_EQ(stored_events(*looking_, kRecalled, conv_, seq), 1);
  EXPECT_TRUE(bob->errors().empty());
}

TEST_F(Guarantee5Recall, ARecallInTheSameInstantAsItsMessageWorks) {
  const auto bob = device(bob_, {.max_inflight = 100});
  const auto phone = away(carol_);
  for (int seq = 1; seq <= 20; ++seq) {
    bob->mqtt().publish_async(message_topic(conv_), text(bob->new_id(), kSecret).dump(), nullptr);
    bob->mqtt().publish_async("chat/c/" + conv_ + "/recall", R"({"seq":)" + std::to_string(seq) + "}", nullptr);
  }
  for (int seq = 1; seq <= 20; ++seq) expect_recalled(*bob, seq, bob_);
  EXPECT_TRUE(bob->errors().empty());
  const auto late = device(carol_, {.device = phone});
  late->expect_through(conv_, 20);
  expect_no_secret(late->mqtt());
}

TEST_F(Guarantee5Recall, RecallOfAMessageStillInTheJournal) {
  const auto bob = device(bob_);
  const auto phone = away(carol_);
  say(*bob, "the conversation is in use");
  stack().freeze_postgres();
  const auto id = bob->send(conv_, kSecret);
  give_command(*bob, conv_, "recall", 2);
  EXPECT_FALSE(bob->has_sent(id));
  stack().thaw_postgres();
  expect_recalled(*bob, 2, bob_);
  const auto late = device(carol_, {.device = phone});
  EXPECT_EQ(late->message(conv_, 2).json.at("recalled"), true);
  event_about(*late, kRecalled, conv_, 2);
  expect_no_secret(late->mqtt());
}

// One device is served from the broker's memory, the other from PostgreSQL.
TEST_F(Guarantee5Recall, RecalledTextNeverReachesALateDevice) {
  const auto bob = device(bob_, {.acknowledge_every = 1});
  const auto alices = away(alice_);
  const auto carols = away(carol_);
  for (int i = 0; i < 4; ++i) say(*bob, "before");
  const auto seq = say(*bob);
  for (int i = 0; i < 4; ++i) say(*bob, "behind");
  give_command(*bob, conv_, "recall", seq);
  event_about(*bob, kRecalled, conv_, seq);

  const auto from_memory = device(alice_, {.device = alices});
  from_memory->expect_through(conv_, 9);
  event_about(*from_memory, kRecalled, conv_, seq);
  stack().kill("broker");
  stack().start("broker");
  const auto from_postgres = device(carol_, {.device = carols});
  from_postgres->expect_through(conv_, 9);
  event_about(*from_postgres, kRecalled, conv_, seq);
  EXPECT_EQ(from_memory->message(conv_, seq).payload, from_postgres->message(conv_, seq).payload);
  for (auto* late : {from_memory.get(), from_postgres.get()}) {
    EXPECT_EQ(late->message(conv_, seq).json.at("by"), bob_);
    EXPECT_FALSE(late->message(conv_, seq).json.contains("body"));
    expect_no_secret(late->mqtt());
  }
}

// Its window is full, so that what follows waits: in the broker's memory, and in a page that was read from PostgreSQL.
TEST_F(Guarantee5Recall, RecalledTextNeverReachesADeviceWhoseWindowIsFull) {
  const auto bob = device(bob_, {.max_inflight = 100, .acknowledge_every = 50});
  const auto phone = away(carol_);
  const auto send_many = [&](int count) {
    for (int i = 1; i < count; ++i)
      bob->mqtt().publish_async(message_topic(conv_), text(bob->new_id(), "x").dump(), nullptr);
    say(*bob, "x");
  };
  send_many(149);
  ASSERT_EQ(say(*bob), 150);
  send_many(150);
  stack().kill("broker");
  stack().start("broker");
  bob->connect();
  const auto slow = device(carol_, {.device = phone});
  slow->expect_through(conv_, 100);
  ASSERT_EQ(say(*bob), 301);
  for (const auto seq : {150, 301}) give_command(*bob, conv_, "recall", seq);
  for (const auto seq : {150, 301}) event_about(*bob, kRecalled, conv_, seq);
  // What the broker handed out behind the event holds nothing of it; a round trip shows that it had nothing more.
  slow->mqtt().publish("chat/c/" + conv_ + "/delivered", std::string("no json"));
  slow->error("bad_json");
  EXPECT_EQ(slow->seqs(conv_).size(), 100U);
  for (std::int64_t seen = 100; seen < 301; seen = static_cast<std::int64_t>(slow->seqs(conv_).size())) {
    slow->acknowledge(conv_, seen);
    slow->expect_through(conv_, std::min<std::int64_t>(seen + 100, 301));
  }
  for (const auto seq : {150, 301}) EXPECT_EQ(slow->message(conv_, seq).json.at("recalled"), true);
  expect_no_secret(slow->mqtt());
}

TEST_F(Guarantee5Recall, ARetryOfARecalledMessageReachesNobody) {
  const auto bob = device(bob_, {.acknowledge_every = 1});
  const auto alice = device(alice_, {.acknowledge_every = 1});
  const auto id = bob->new_id();
  bob->mqtt().publish(message_topic(conv_), text(id, kSecret));
  bob->sent(id);
  give_command(*bob, conv_, "recall", 1);
  event_about(*alice, kRecalled, conv_, 1);
  for (const bool crash : {false, true}) {
    if (crash) {
      stack().kill("broker");
      stack().start("broker");
      bob->connect();
      alice->connect();
    }
    alice->mqtt().forget();
    bob->mqtt().forget();
    EXPECT_LT(bob->mqtt().publish(message_topic(conv_), text(id, kSecret)), 0x80);
    EXPECT_EQ(bob->sent(id).at("seq"), 1) << "it is the same message";
    const auto last = bob->send(conv_, "the last");
    alice->message_with_id(last);
    expect_no_secret(alice->mqtt());
    EXPECT_TRUE(bob->errors().empty());
  }
  expect_stored(*looking_, conv_, 3);
}

// The broker holds the first copy's bytes until PUBREL; the recall comes between.
TEST_F(Guarantee5Recall, AQos2DuplicateBringsNoRecalledTextBack) {
  const auto bob = device(bob_);
  say(*bob, "the conversation is in use");
  MqttClient native(port(), {.client_id = carol_ + "-native", .user = carol_});
  native.connect();
  ASSERT_EQ(native.subscribe(message_topic(conv_)), 1);
  for (const bool duplicate : {false, true}) {
    const auto id = bob->new_id();
    RawMqtt raw(port(), {.client_id = id + "-raw", .user = bob_});
    ASSERT_EQ(raw.connect(), 0);
    raw.publish(message_topic(conv_), text(id, kSecret).dump(), {.qos = 2, .id = 5});
    raw.expect(PacketType::kPubrec);
    const std::int64_t seq = bob->sent(id).at("seq");
    give_command(*bob, conv_, "recall", seq);
    event_about(*bob, kRecalled, conv_, seq);
    if (duplicate) {
      raw.publish(message_topic(conv_), text(id, kSecret).dump(), {.qos = 2, .id = 5, .dup = true});
      raw.expect(PacketType::kPubrec);
    }
    raw.answer(PacketType::kPubrel, 5);
    raw.expect(PacketType::kPubcomp);
    const auto last = bob->send(conv_, "the last");
    native.expect("the last", [&](const Message& message) { return field(message, "id") == last; });
    expect_no_secret(native);
  }
}

}  // namespace
}  // namespace chat::test
