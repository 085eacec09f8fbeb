// Guarantee 11: nobody reads, sends or acknowledges in a conversation that they are not in; nobody subscribes to
// another user's topics, by any wildcard, shared subscription or last will.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

struct MembersStack {
  static StackOptions options() { return {}; }
};

// alice and bob are in a conversation, which is in memory; mallory is not.
class Guarantee11MembersOnly : public StackSuite<MembersStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(3);
    alice_name_ = users[0];
    bob_name_ = users[1];
    mallory_name_ = users[2];
    conv_ = stack().new_group(alice_name_, {bob_name_});
    alice_ = device(alice_name_);
    bob_ = device(bob_name_);
    ASSERT_EQ(alice_->sent(alice_->send(conv_, "first")).at("seq"), 1);
    bob_->message(conv_, 1);
  }

  std::unique_ptr<MqttClient> mallory(ClientOptions options = {}) {
    options.user = mallory_name_;
    if (options.client_id.empty()) options.client_id = mallory_name_ + "-" + std::to_string(++clients_);
    auto client = std::make_unique<MqttClient>(port(), std::move(options));
    client->connect();
    return client;
  }

  // Whatever reaches a client that is under our prefix, but not its own.
  static std::vector<Message> foreign(const MqttClient& client) {
    const auto own = "chat/u/" + client.options().user + "/";
    return client.received([&](const Message& message) {
      return message.topic.rfind("chat/", 0) == 0 && message.topic.rfind(own, 0) != 0;
    });
  }

  // Everything of the chat that can be seen happens, and then a message that everybody may see.
  void let_things_happen() {
    const auto id = alice_->send(conv_, "secret");
    alice_->send_direct(bob_name_, "secret");
    bob_->message_with_id(id);
    bob_->acknowledge_all();
    bob_->mqtt().publish("chat/c/" + conv_ + "/typing", std::string(R"({"on":true})"));
    bob_->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"p"})"));
    bob_->mqtt().publish(message_topic(conv_), std::string("refused"));
    bob_->error("bad_json");
    alice_->sent(id);
  }

  std::string alice_name_, bob_name_, mallory_name_, conv_;
  std::unique_ptr<ChatClient> alice_, bob_;
  int clients_ = 0;
};

TEST_F(Guarantee11MembersOnly, AStrangerSendsNothing) {
  const auto stranger = device(mallory_name_);
  for (const int qos : {0, 1, 2}) {
    const auto id = stranger->new_id();
    const int code = stranger->mqtt().publish(message_topic(conv_), text(id, "let me in"), {.qos = qos});
    if (qos > 0) {
      EXPECT_EQ(code, kNotAuthorised);
    }
    EXPECT_EQ(stranger->error_for(id).at("code"), "not_member");
  }
  const auto next = alice_->send(conv_, "next");
  EXPECT_EQ(bob_->message_with_id(next).json.at("seq"), 2);
  EXPECT_EQ(bob_->messages(conv_).size(), 2U);
}

TEST_F(Guarantee11MembersOnly, AStrangerAcknowledgesAndRecallsNothing) {
  const auto stranger = device(mallory_name_);
  const auto& mqtt = stranger->mqtt();
  for (const auto& [leaf, payload] :
       std::vector<std::pair<std::string, std::string>>{{"delivered", R"({"seq":1})"},
                                                        {"read", R"({"seq":1})"},
                                                        {"typing", R"({"on":true})"},
                                                        {"recall", R"({"seq":1})"},
                                                        {"edit", R"({"seq":1,"body":"x"})"},
                                                        {"react", R"({"seq":1,"emoji":"x","on":true})"}}) {
    const auto topic = "chat/c/" + conv_ + "/" + leaf;
    const auto before = mqtt.received_count();
    EXPECT_EQ(stranger->mqtt().publish(topic, payload), kNotAuthorised) << leaf;
    const auto error = stranger->mqtt().expect(
        "the refusal of " + leaf, [&](const Message& message) { return field(message, "topic") == topic; }, before);
    EXPECT_EQ(error.json.at("code"), "not_member") << leaf;
  }
  stranger->mqtt().publish("chat/ack", nlohmann::json{{"delivered", {{conv_, {{"seq", 1}}}}}});
  stranger->mqtt().expect("the refusal of chat/ack", [](const Message& message) {
    return field(message, "topic") == "chat/ack" && field(message, "code") == "not_member";
  });
}

TEST_F(Guarantee11MembersOnly, NobodySubscribesToWhatIsNotTheirs) {
  const std::vector<std::string> filters{
      "chat/u/" + alice_name_ + "/inbox",
      "chat/u/" + alice_name_ + "/#",
      "chat/u/" + alice_name_ + "/+",
      "chat/u/+/inbox",
      "chat/u/#",
      "chat/+/" + alice_name_ + "/inbox",
      "chat/+/" + mallory_name_ + "/inbox",
      "chat/+/+/inbox",
      "+/u/" + alice_name_ + "/inbox",
      "+/u/#",
      "chat/#",
      "chat/+/+/+",
      "chat/c/#",
      "chat/c/+/msg",
      "chat/+/" + conv_ + "/msg",
      "chat/c/" + conv_ + "/+",
      "chat/c/" + conv_ + "/#",
      "chat/c/" + conv_ + "/delivered",
      "chat/d/" + alice_name_ + "/msg",
      "chat/d/" + mallory_name_ + "/msg",
      "chat/rpc/#",
      "chat/rpc/ping",
      "chat/ack",
      "chat/c/" + conv_ + "/msg",
      "chat/c/" + direct_conversation(alice_name_, bob_name_) + "/msg",
      "$share/g/chat/u/" + alice_name_ + "/inbox",
      "$share/g/chat/u/" + mallory_name_ + "/inbox",  // shared: somebody else could take part
      "$share/g/chat/#",
      "$share/g/chat/rpc/#",
      "$share/g/chat/c/" + conv_ + "/msg",
      "$share/g/chat/c/+/msg",
  };
  // The direct conversation is in memory as well.
  bob_->message_with_id(alice_->send_direct(bob_name_, "hello"));
  for (const int protocol : {kMqtt5, kMqtt311}) {
    const auto client = mallory({.protocol = protocol});
    client->subscribe("chat/u/" + mallory_name_ + "/error");
    for (const auto& filter : filters) {
      EXPECT_EQ(client->subscribe(filter), protocol == kMqtt5 ? kNotAuthorised : 0x80) << filter;
    }
    let_things_happen();
    // A round trip of mallory's own: whatever was to come has come.
    client->publish("chat/c/" + conv_ + "/msg", std::string("x"));
    client->expect("her own refusal", [](const Message& message) { return !field(message, "code").empty(); });
    for (const auto& message : foreign(*client)) ADD_FAILURE() << message.topic << " " << message.payload;
  }
}

TEST_F(Guarantee11MembersOnly, EverythingIsGrantedAndGivesNothingForeign) {
  for (const std::string filter : {"#", "+/#", "+/+/#", "+/+/+/+", "$share/g/#", "$share/g/+/+/+/+"}) {
    const auto client = mallory();
    client->subscribe(filter);
    client->subscribe("fence/" + mallory_name_);
    let_things_happen();
    client->publish("fence/" + mallory_name_, std::string("fence"));
    client->expect("the fence", [](const Message& message) { return message.payload == "fence"; });
    for (const auto& message : foreign(*client))
      ADD_FAILURE() << filter << ": " << message.topic << " " << message.payload;
  }
}

TEST_F(Guarantee11MembersOnly, OneRefusedFilterTakesNoOtherWithIt) {
  const auto client = mallory();
  const auto codes = client->subscribe(std::vector<std::string>{"mine/" + mallory_name_, "chat/u/" + alice_name_ + "/#",
                                                                "chat/u/" + mallory_name_ + "/#"});
  EXPECT_EQ(codes, (std::vector<int>{1, kNotAuthorised, 1}));
}

TEST_F(Guarantee11MembersOnly, AStrangersSubscriptionToAConversationThatIsNotInMemoryDeliversNothing) {
  const auto cold = stack().new_group(alice_name_, {bob_name_});
  const auto client = mallory();
  client->subscribe(message_topic(cold));
  client->subscribe("$share/g/" + message_topic(cold));
  client->subscribe("fence/" + mallory_name_);
  bob_->message_with_id(alice_->send(cold, "one"));
  bob_->message_with_id(alice_->send(cold, "two"));
  client->publish("fence/" + mallory_name_, std::string("fence"));
  client->expect("the fence", [](const Message& message) { return message.payload == "fence"; });
  for (const auto& message : foreign(*client)) ADD_FAILURE() << message.topic << " " << message.payload;
}

TEST_F(Guarantee11MembersOnly, NobodyPublishesWhereOnlyTheServerWrites) {
  const auto client = device(mallory_name_);
  for (const auto& topic :
       {"chat/u/" + alice_name_ + "/inbox", "chat/u/" + alice_name_ + "/ack", "chat/u/" + mallory_name_ + "/inbox",
        "chat/u/" + alice_name_ + "/anything/else", std::string("chat/nonsense"), "chat/c/" + conv_ + "/nonsense",
        "chat/c/" + conv_ + "/msg/more", std::string("chat/rpc"), std::string("chat")}) {
    const auto before = client->mqtt().received_count();
    const std::string forged = R"({"conv":")" + conv_ + R"(","seq":2,"server_time":1,"from":")" + alice_name_ +
                               R"(","mid":"01900000-0000-7000-8000-000000000000","body":"forged"})";
    EXPECT_EQ(client->mqtt().publish(topic, forged), kNotAuthorised) << topic;
    const auto error = client->mqtt().expect(
        "the refusal on " + topic, [&](const Message& message) { return field(message, "topic") == topic; }, before);
    EXPECT_TRUE(error.json.at("code") == "not_allowed" || error.json.at("code") == "unknown_operation")
        << error.payload;
  }
  bob_->message_with_id(alice_->send(conv_, "next"));
  alice_->message(conv_, 2);
  for (auto* receiver : {alice_.get(), bob_.get()}) {
    EXPECT_TRUE(
        receiver->mqtt()
            .received([](const Message& message) { return message.payload.find("forged") != std::string::npos; })
            .empty());
  }
}

TEST_F(Guarantee11MembersOnly, AFormerMemberReadsAndSendsNoMore) {
  stack().chatctl({"member", "add", conv_, mallory_name_});
  const auto was_member = device(mallory_name_);
  const auto native = mallory();
  eventually("the broker knowing the new member", [&] { return native->subscribe(message_topic(conv_)) == 1; });
  const auto while_member = alice_->send(conv_, "for three");
  was_member->message_with_id(while_member);
  native->expect("it natively", [&](const Message& message) { return field(message, "id") == while_member; });

  stack().chatctl({"member", "remove", conv_, mallory_name_});
  was_member->mqtt().expect("the event of her leaving", [&](const Message& message) {
    return field(message, "kind") == "member.removed" && field(message, "user") == mallory_name_;
  });
  const auto after = alice_->send(conv_, "for two");
  bob_->message_with_id(after);
  const auto id = was_member->new_id();
  EXPECT_EQ(was_member->mqtt().publish(message_topic(conv_), text(id, "still here?")), kNotAuthorised);
  EXPECT_EQ(was_member->error_for(id).at("code"), "not_member");
  const auto is_after = [&](const Message& message) { return message.payload.find("for two") != std::string::npos; };
  native->publish("chat/nonsense", std::string("x"));  // a round trip
  EXPECT_TRUE(was_member->mqtt().received(is_after).empty());
  EXPECT_TRUE(native->received(is_after).empty());
  EXPECT_EQ(native->subscribe(message_topic(conv_)), kNotAuthorised);
  // Neither does she catch it up: what she had not acknowledged is no longer hers either.
  const auto back = device(mallory_name_, {.device = mallory_name_ + "-tablet"});
  back->sync("end");
  EXPECT_TRUE(back->mqtt().received(is_after).empty());
}

// A will never passes the plugin's message callback: what comes of it would be unstamped, or stamped by its sender.
TEST_F(Guarantee11MembersOnly, ALastWillOnAChatTopicIsNeverDelivered) {
  const std::string forged = R"({"conv":")" + conv_ + R"(","seq":2,"server_time":1,"from":")" + alice_name_ +
                             R"(","mid":"01900000-0000-7000-8000-000000000000","body":"will"})";
  MqttClient watcher(port(), {.client_id = "watcher-" + bob_name_, .user = bob_name_});
  watcher.connect();
  ASSERT_EQ(watcher.subscribe(message_topic(conv_)), 1);
  watcher.subscribe("outside/" + bob_name_);
  // A member's as well as a stranger's, plain and looking as if the server had stamped it, also as a retained one.
  for (const auto& user : {alice_name_, mallory_name_}) {
    for (const auto& topic : {message_topic(conv_), "chat/u/" + bob_name_ + "/inbox", direct_topic(bob_name_),
                              "chat/u/" + bob_name_ + "/event", std::string("chat/rpc/ping")}) {
      for (const auto& payload : {forged, std::string(R"({"id":"w","body":"will"})")}) {
        for (const bool retain : {false, true}) {
          ClientOptions options{.client_id = "dying-" + user, .user = user};
          options.will = Will{.topic = topic, .payload = payload, .qos = 1, .retain = retain};
          MqttClient dying(port(), options);
          try {
            dying.connect();
            dying.drop();
          } catch (const ConnectRefused&) {
            // Better still.
          }
        }
      }
    }
  }
  // A last client dies with a will outside the chat: it comes behind all of the above.
  ClientOptions last{.client_id = "last-" + alice_name_, .user = alice_name_};
  last.will = Will{.topic = "outside/" + bob_name_, .payload = "the last"};
  MqttClient dying(port(), last);
  dying.connect();
  dying.drop();
  watcher.expect("the will outside the chat", [](const Message& message) { return message.payload == "the last"; });
  bob_->message_with_id(alice_->send(conv_, "next"));

  // Somebody who comes later finds nothing retained either.
  MqttClient late(port(), {.client_id = "late-" + bob_name_, .user = bob_name_});
  late.connect();
  late.subscribe({message_topic(conv_), "chat/u/" + bob_name_ + "/#"});
  const auto is_will = [](const Message& message) { return message.payload.find("\"will\"") != std::string::npos; };
  late.expect("the catch-up's end", [](const Message& message) { return field(message, "state") == "end"; });
  for (const auto* client : {&watcher, &bob_->mqtt(), &late}) {
    for (const auto& message : client->received(is_will)) ADD_FAILURE() << client->id() << ": " << message.topic;
  }
}

TEST_F(Guarantee11MembersOnly, TheRightNameIsNotEnoughWithoutThePassword) {
  for (const auto& password : {std::string("wrong"), std::string()}) {
    MqttClient client(port(), {.client_id = "impostor", .user = alice_name_, .password = password});
    EXPECT_THROW(client.connect(), ConnectRefused);
  }
  MqttClient nameless(port(), {.client_id = "nameless"});
  try {
    nameless.connect();
    EXPECT_EQ(nameless.subscribe("chat/u/" + alice_name_ + "/#"), kNotAuthorised);
    EXPECT_EQ(nameless.publish(message_topic(conv_), text("n", "x")), kNotAuthorised);
  } catch (const ConnectRefused&) {
    // Better still: the broker takes no anonymous clients.
  }
}

}  // namespace
}  // namespace chat::test
