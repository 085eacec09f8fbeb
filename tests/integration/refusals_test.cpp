// Section "Refusals" of topics.md: nothing is dropped in silence. Each code that this release gives, as an MQTT 5
// client and as an MQTT 3.1.1 client see it, with the connection open afterwards.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

struct RefusalsStack {
  static StackOptions options() { return {.plugin = {{"max_message_bytes", "2000"}}}; }
};

class Refusals : public StackSuite<RefusalsStack>, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    user_ = stack().new_user();
    conv_ = stack().new_group(user_);
    client_ = device(user_, {.protocol = GetParam()});
    ASSERT_EQ(client_->sent(client_->send(conv_, "in memory now")).at("seq"), 1);
  }

  // Publishes, and expects one refusal with that code, which tells this topic and id (null for none).
  void expect_refused(const std::string& code, const std::string& topic, const std::string& payload,
                      const nlohmann::json& id = nullptr) {
    const auto before = client_->mqtt().received_count();
    const int answer = client_->mqtt().publish(topic, payload);
    // MQTT 3.1.1 has no way to say no in a PUBACK.
    EXPECT_EQ(answer, GetParam() == kMqtt5 ? kNotAuthorised : 0) << payload;
    const auto error = client_->mqtt().expect(
        "a refusal of " + payload.substr(0, 100),
        [&](const Message& message) { return message.topic == client_->own("error"); }, before);
    ASSERT_TRUE(error.json.is_object()) << error.payload;
    EXPECT_EQ(error.json.at("code"), code) << payload.substr(0, 100) << "\n" << error.payload;
    EXPECT_EQ(error.json.at("topic"), topic);
    EXPECT_EQ(error.json.at("id"), id) << payload;
    EXPECT_GT(error.json.at("reason").get<std::string>().size(), 10U) << "no sentence";
    EXPECT_EQ(error.json.size(), 4U) << error.payload;
    EXPECT_TRUE(client_->mqtt().connected());
  }

  void TearDown() override {
    // Whatever was refused: the connection still works, and no number was used up.
    if (client_) {
      const auto id = client_->send(conv_, "the last");
      EXPECT_EQ(client_->sent(id).at("seq"), 2);
      EXPECT_EQ(client_->message_with_id(id).json.at("seq"), 2);
    }
    StackSuite::TearDown();
  }

  std::string user_;
  std::string conv_;
  std::unique_ptr<ChatClient> client_;
};

TEST_P(Refusals, BadJson) {
  for (const std::string payload :
       {"", "no json", "[1]", "\"text\"", "7", "null", R"({"body":)", R"({"body":"x"} {"body":"y"})",
        R"({"body":"x",})", R"({'body':'x'})", "{\"body\":\"\xff\xfe\"}", R"({"body":"\ud800"})"}) {
    expect_refused("bad_json", message_topic(conv_), payload);
  }
  expect_refused("bad_json", "chat/c/" + conv_ + "/delivered", "no json");
  expect_refused("bad_json", "chat/c/" + conv_ + "/read", "[]");
  expect_refused("bad_json", "chat/ack", "{");
  expect_refused("bad_json", "chat/c/" + conv_ + "/recall", "1");
  expect_refused("bad_json", direct_topic(user_), "no json");
}

TEST_P(Refusals, BadFieldOfAMessage) {
  const auto topic = message_topic(conv_);
  expect_refused("bad_field", topic, "{}");
  expect_refused("bad_field", topic, R"({"id":"no-body"})", "no-body");
  expect_refused("bad_field", topic, R"({"body":"x","id":7})");
  expect_refused("bad_field", topic, R"({"body":"x","id":""})");
  expect_refused("bad_field", topic, R"({"body":"x","id":")" + std::string(65, 'i') + R"("})");
  expect_refused("bad_field", topic, R"({"body":"x","id":"t-1","type":"telegram"})", "t-1");
  expect_refused("bad_field", topic, R"({"body":"x","id":"t-2","type":7})", "t-2");
  expect_refused("bad_field", topic, R"({"body":"x","id":"r-1","reply_to":0})", "r-1");
  expect_refused("bad_field", topic, R"({"body":"x","id":"r-2","reply_to":"1"})", "r-2");
  expect_refused("bad_field", topic, R"({"body":"x","id":"l-1","ttl":0})", "l-1");
  expect_refused("bad_field", topic, R"({"body":"x","id":"l-2","ttl":-5})", "l-2");
  expect_refused("bad_field", topic, R"({"body":"x","id":"l-3","ttl":1.5})", "l-3");
  expect_refused("bad_field", topic, R"({"body":"x","id":"m-1","mentions":"alice"})", "m-1");
  expect_refused("bad_field", topic, R"({"body":"x","id":"m-2","mentions":[7]})", "m-2");
  expect_refused("bad_field", topic, R"({"body":"x","id":"m-3","mentions":["not a user name"]})", "m-3");
  expect_refused("bad_field", topic, R"({"body":"x","body":"y","id":"b-1"})", "b-1");
  expect_refused("bad_field", topic, R"({"body":"x","id":"d-1","id":"d-2"})", "d-1");
}

TEST_P(Refusals, BadFieldOfACursor) {
  expect_refused("bad_field", "chat/c/" + conv_ + "/delivered", "{}");
  expect_refused("bad_field", "chat/c/" + conv_ + "/delivered", R"({"seq":-1})");
  expect_refused("bad_field", "chat/c/" + conv_ + "/delivered", R"({"seq":"1"})");
  expect_refused("bad_field", "chat/c/" + conv_ + "/delivered", R"({"seq":2})");  // there is no second message yet
  expect_refused("bad_field", "chat/c/" + conv_ + "/read", R"({"seq":2})");
  expect_refused("bad_field", "chat/c/" + conv_ + "/read", R"({"seq":0})");
  expect_refused("bad_field", "chat/ack", R"({"delivered":7})");
  expect_refused("bad_field", "chat/ack", R"({"delivered":{")" + conv_ + R"(":7}})");
  expect_refused("bad_field", "chat/ack", R"({"delivered":{")" + conv_ + R"(":{"seq":2}}})");
  expect_refused("bad_field", "chat/ack", R"({"read":{")" + conv_ + R"(":2}})");
  expect_refused("bad_field", "chat/ack", R"({"delivered":{"no conversation":{"seq":1}}})");
}

TEST_P(Refusals, ReservedFieldHoweverItIsWritten) {
  const auto topic = message_topic(conv_);
  for (const std::string name : {"conv", "seq", "server_time", "from", "mid"}) {
    expect_refused("reserved_field", topic, R"({"id":"f-1","body":"x",")" + name + R"(":1})", "f-1");
    expect_refused("reserved_field", topic, R"({")" + name + R"(":null,"id":"f-2","body":"x"})", "f-2");
    // Doubled: the second would win in most parsers.
    expect_refused("reserved_field", topic, R"({"body":"x",")" + name + R"(":1,")" + name + R"(":2})");
    // Escaped: the same name to whoever reads it.
    char escaped[8];
    snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(name[0]));
    expect_refused("reserved_field", topic, R"({"body":"x",")" + std::string(escaped) + name.substr(1) + R"(":1})");
  }
  expect_refused("reserved_field", topic, R"({"body":"x","\u0073\u0065\u0071":1})");
  expect_refused("reserved_field", topic, R"({"body":"x","\u0053eq":0,"se\u0071":1})");
}

TEST_P(Refusals, AReservedNameInsideTheBodyIsTheClientsOwn) {
  // Also a name that differs by case, or only looks like one of the server's.
  const std::string payload = R"({"body":{"seq":1,"from":"me"},"Seq":1,"seq ":1,"x":[{"mid":2}]})";
  EXPECT_LT(client_->mqtt().publish(message_topic(conv_), payload), 0x80);
  const auto message = client_->message(conv_, 2);
  EXPECT_EQ(without_server_fields(message), payload);
  EXPECT_TRUE(client_->errors().empty());
  client_.reset();  // TearDown() counts from one message
}

TEST_P(Refusals, TooLarge) {
  expect_refused("too_large", message_topic(conv_), R"({"body":")" + std::string(2000, 'x') + R"("})");
  expect_refused("too_large", "chat/c/" + conv_ + "/read", R"({"seq":1,"x":")" + std::string(10'000, 'x') + R"("})");
}

TEST_P(Refusals, NotMember) {
  const auto other = stack().new_user();
  const auto theirs = stack().new_group(other);
  const auto owner = device(other);
  owner->sent(owner->send(theirs, "in memory now"));
  expect_refused("not_member", message_topic(theirs), R"({"id":"n-1","body":"x"})", "n-1");
  expect_refused("not_member", "chat/c/" + theirs + "/delivered", R"({"seq":1})");
}

TEST_P(Refusals, NotAllowed) {
  expect_refused("not_allowed", direct_topic(user_), R"({"id":"self","body":"to myself"})", "self");
  expect_refused("not_allowed", "chat/u/" + user_ + "/inbox", R"({"body":"x"})");
}

// What the broker has to ask PostgreSQL for was acknowledged before the answer came: only the error topic can tell.
TEST_P(Refusals, NotFoundComesOnTheErrorTopic) {
  for (const auto& [topic, id] : std::vector<std::pair<std::string, std::string>>{
           {message_topic("g:doesnotexist"), "nf-1"},
           {direct_topic("nobody-of-that-name"), "nf-2"},
           {message_topic(direct_conversation(user_, "nobody-either")), "nf-3"}}) {
    EXPECT_LT(client_->mqtt().publish(topic, text(id, "x")), 0x80);
    const auto error = client_->error_for(id);
    EXPECT_EQ(error.at("code"), "not_found") << topic;
    EXPECT_EQ(error.at("topic"), topic);
  }
}

TEST_P(Refusals, ANameThatCanBeNoConversationsIsRefused) {
  for (const std::string name : {"dm:only", "g:", "x:y", "g:with space", "dm:same:same"}) {
    const auto before = client_->mqtt().received_count();
    client_->mqtt().publish(message_topic(name), text("bad-name", "x"));
    const auto error = client_->mqtt().expect(
        "a refusal of " + name, [&](const Message& message) { return message.topic == client_->own("error"); }, before);
    EXPECT_TRUE(error.json.at("code") == "not_found" || error.json.at("code") == "bad_field") << name << error.payload;
  }
}

TEST_P(Refusals, IdConflict) {
  const auto id = client_->new_id();
  client_->mqtt().publish(message_topic(conv_), text(id, "one"));
  expect_refused("id_conflict", message_topic(conv_), text(id, "two").dump(), id);
  client_->message_with_id(id);
  EXPECT_EQ(client_->messages(conv_).size(), 2U);
  client_.reset();  // TearDown() counts from one message
}

TEST_P(Refusals, ARefusalAtQos0And2) {
  for (const int qos : {0, 2}) {
    const auto before = client_->mqtt().received_count();
    const int answer = client_->mqtt().publish(message_topic(conv_), std::string("no json"), {.qos = qos});
    if (qos == 2 && GetParam() == kMqtt5) {
      EXPECT_EQ(answer, kNotAuthorised);
    }
    client_->mqtt().expect(
        "the refusal", [&](const Message& message) { return field(message, "code") == "bad_json"; }, before);
  }
}

INSTANTIATE_TEST_SUITE_P(EitherProtocol, Refusals, ::testing::Values(kMqtt311, kMqtt5),
                         [](const auto& protocol) { return protocol.param == kMqtt5 ? "Mqtt5" : "Mqtt311"; });

}  // namespace
}  // namespace chat::test
