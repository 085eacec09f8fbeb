// Nothing broken for others: on topics that are not the chat's, the broker with the plugin does what the broker without
// it does, byte by byte, in MQTT's corner cases too. Each script below is spoken to both, with one configuration, and
// what they answered is compared. The rules are an acl_file's in both: acl_mode defer leaves it to them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/support/stack.h"
#include "tests/support/transcript.h"

namespace chat::test {
namespace {

constexpr const char* kRules = R"(
topic readwrite open/#
user u1
topic readwrite #
topic read $SYS/broker/version
user u2
topic readwrite open/#
topic readwrite chatter/#
topic read readable/#
topic write writable/#
topic deny open/secret/#
pattern readwrite own/%u/#
)";

using Script = std::function<void(Transcript&)>;

ConnectPart as(const std::string& user, int protocol = 5) {
  return {.protocol = protocol, .user = user};
}

// Two clients of that protocol, the one subscribed to everything outside with QoS 2.
void two(Transcript& talk, int protocol, const std::string& filter = "open/#") {
  talk.open("speaker", as("u1", protocol));
  talk.open("hearer", as("u1", protocol));
  talk.subscribe("hearer", {{.filter = filter, .options = 2}});
}

void qualities_of_service(Transcript& talk) {
  for (const int protocol : {4, 5}) {
    two(talk, protocol);
    talk.publish("speaker", "open/a", "zero", {.qos = 0});
    talk.publish("speaker", "open/a", "one", {.qos = 1, .id = 5});
    talk.answer("hearer", PacketType::kPuback, 1);
    for (const bool again : {false, true})
      talk.publish("speaker", "open/a", "one again", {.qos = 1, .id = 6, .dup = again});
    talk.answer("hearer", PacketType::kPuback, 2);
    talk.answer("hearer", PacketType::kPuback, 3);
    talk.publish("speaker", "open/a", "two", {.qos = 2, .id = 7});
    talk.publish("speaker", "open/a", "two", {.qos = 2, .id = 7, .dup = true});
    talk.answer("speaker", PacketType::kPubrel, 7);
    talk.answer("speaker", PacketType::kPubrel, 7);  // again
    talk.answer("hearer", PacketType::kPubrec, 4);
    talk.answer("hearer", PacketType::kPubcomp, 4);
    talk.answer("speaker", PacketType::kPubrel, 99);  // of nothing
    talk.publish("speaker", "open/a", "", {.qos = 1, .id = 8});
    talk.publish("speaker", "open/nobody/hears", "x", {.qos = 2, .id = 9});
    talk.bid_farewell("hearer");
    talk.publish("speaker", "open/a", "nobody is there", {.qos = 1, .id = 10});
    talk.bid_farewell("speaker");
  }
}

void retained(Transcript& talk) {
  for (const int protocol : {4, 5}) {
    two(talk, protocol, "open/r/#");
    talk.publish("speaker", "open/r/1", "first", {.qos = 1, .id = 1, .retain = true});
    talk.publish("speaker", "open/r/1", "second", {.qos = 0, .retain = true});
    talk.publish("speaker", "open/r/2", "other", {.qos = 0, .retain = true});
    talk.open("late", as("u1", protocol));
    talk.subscribe("late", {{.filter = "open/r/+", .options = 1}});
    talk.publish("speaker", "open/r/1", "", {.qos = 0, .retain = true});
    talk.subscribe("late", {{.filter = "open/r/#", .options = 0}});
    if (protocol == 5) {
      for (const int handling : {0, 16, 32}) {
        for (int again = 0; again < 2; ++again) talk.subscribe("late", {{.filter = "open/r/2", .options = handling}});
      }
      talk.subscribe("late", {{.filter = "open/r/2", .options = 8}});  // retain as published
      talk.publish("speaker", "open/r/2", "kept", {.qos = 0, .retain = true});
    }
    talk.publish("speaker", "open/r/2", "", {.qos = 0, .retain = true});
    for (const auto* name : {"late", "hearer", "speaker"}) talk.bid_farewell(name);
  }
}

void wills(Transcript& talk) {
  talk.open("hearer", as("u1"));
  talk.subscribe("hearer", {{.filter = "open/will/#", .options = 0}, {.filter = "chatter/#", .options = 0}});
  for (const int protocol : {4, 5}) {
    auto part = as("u1", protocol);
    part.will =
        WillPart{.topic = "open/will/v" + std::to_string(protocol), .payload = "gone", .qos = 1, .retain = true};
    talk.open("mortal", part);
    talk.vanish("mortal");
    talk.await("hearer", "gone");
    talk.open("mortal", part);
    talk.bid_farewell("mortal");
    part.will->payload = "taken over";
    talk.open("mortal", part);
    talk.open("mortal", as("u1", protocol));
    talk.bid_farewell("mortal");
    talk.publish("hearer", part.will->topic, "", {.qos = 0, .retain = true});
  }
  auto part = as("u1");
  part.will = WillPart{.topic = "open/will/5", .payload = "said goodbye with a will"};
  talk.open("mortal", part);
  talk.bid_farewell("mortal", 4);
  part.will = WillPart{.topic = "chatter/will", .payload = "with all it has"};
  part.will->properties.byte(property::kPayloadFormat, 1).text(property::kContentType, "text/plain").pair("seq", "7");
  part.will->properties.text(property::kResponseTopic, "open/answer").text(property::kCorrelationData, "c");
  talk.open("mortal", part);
  talk.vanish("mortal");
  talk.await("hearer", "with all it has");
  part.will = WillPart{.topic = "open/will/late", .payload = "delayed"};
  part.will->properties.four(property::kWillDelay, 1);
  part.properties.four(property::kSessionExpiry, 60);
  talk.open("mortal", part);
  talk.vanish("mortal");
  talk.await("hearer", "delayed");
  // A will where its user may not write is no will; where the topic is none, no connection.
  auto forbidden = as("u2");
  forbidden.will = WillPart{.topic = "readable/x", .payload = "forbidden"};
  talk.open("forbidden", forbidden);
  talk.vanish("forbidden");
  auto wild = as("u1");
  wild.will = WillPart{.topic = "open/#", .payload = "x"};
  talk.open("wild", wild);
  talk.open("fence", as("u1"));
  talk.publish("fence", "open/will/fence", "x");
  talk.settle();
}

void sessions(Transcript& talk) {
  for (const int protocol : {4, 5}) {
    auto part = as("u1", protocol);
    part.clean_start = false;
    part.properties.four(property::kSessionExpiry, 100);
    talk.open("sleeper", part);
    talk.subscribe("sleeper", {{.filter = "open/q/#", .options = 1}, {.filter = "open/two", .options = 2}});
    talk.bid_farewell("sleeper");
    talk.open("speaker", as("u1", protocol));
    for (int i = 0; i < 5; ++i)
      talk.publish("speaker", "open/q/" + std::to_string(i), "queued", {.qos = i % 3, .id = 3});
    talk.answer("speaker", PacketType::kPubrel, 3);
    talk.publish("speaker", "open/two", "twice", {.qos = 2, .id = 4});
    talk.answer("speaker", PacketType::kPubrel, 4);
    talk.open("sleeper", part);  // the session is there, and all of it comes
    talk.vanish("sleeper");      // nothing was acknowledged
    talk.open("speaker", as("u1", protocol));
    talk.open("sleeper", part);  // and comes again, marked
    for (std::uint16_t id = 1; id <= 3; ++id) talk.answer("sleeper", PacketType::kPuback, id);
    talk.answer("sleeper", PacketType::kPubrec, 4);
    talk.answer("sleeper", PacketType::kPubcomp, 4);
    talk.answer("sleeper", PacketType::kPuback, 5);  // of nothing
    talk.open("sleeper", part);                      // taken over by itself
    part.clean_start = true;
    talk.open("sleeper", part);
    talk.publish("speaker", "open/q/1", "to nobody");
    talk.bid_farewell("sleeper");
    talk.bid_farewell("speaker");
  }
}

void subscriptions(Transcript& talk) {
  two(talk, 5, "open/+/x");
  talk.subscribe(
      "hearer",
      {{.filter = "open/#", .options = 0}, {.filter = "open/a/x", .options = 1}, {.filter = "#", .options = 0}},
      Properties().variable(property::kSubscriptionId, 268'435'455));
  talk.publish("speaker", "open/a/x", "overlapping", {.qos = 0});
  talk.publish("speaker", "chatter/x", "only looks like it", {.qos = 0});
  for (const auto* topic : {"Chat/c/g:x/msg", "/chat/c/g:x/msg", "chatc/g:x/msg", "cha", "CHAT", "//", "open/a//x"}) {
    talk.publish("speaker", topic, R"({"id":"a","body":"b","seq":1})", {.qos = 1, .id = 2, .retain = true});
    talk.publish("speaker", topic, "", {.qos = 0, .retain = true});
  }
  talk.publish("speaker", std::string(65535, 'o'), "long", {.qos = 0});
  talk.unsubscribe("hearer", {"open/#", "never/there", "open/+/x", "#"});
  talk.publish("speaker", "open/a/x", "one left", {.qos = 0});
  talk.subscribe("speaker", {{.filter = "open/local", .options = 4}});  // no local
  talk.publish("speaker", "open/local", "to others only", {.qos = 0});
  talk.subscribe("speaker", {{.filter = "chat", .options = 0},
                             {.filter = "$SYS/broker/version", .options = 0},
                             {.filter = std::string(65535, 'f')}});
  talk.open("one", as("u1"));
  talk.open("other", as("u1"));
  for (const auto* name : {"one", "other"})
    talk.subscribe(name, {{.filter = "$share/g/open/s/#", .options = 0}, {.filter = "$share/h/open/s/1"}});
  for (int i = 0; i < 6; ++i) talk.publish("speaker", "open/s/" + std::to_string(i % 2), std::to_string(i), {.qos = 0});
  talk.unsubscribe("one", {"$share/g/open/s/#"});
  for (int i = 0; i < 4; ++i) talk.publish("speaker", "open/s/" + std::to_string(i % 2), std::to_string(i), {.qos = 0});
  talk.subscribe("one", {{.filter = "$share/g/open/s/#", .options = 4}});  // shared and no local: against the rules
  talk.subscribe("other", {{.filter = "open/#/x"}});
}

void properties(Transcript& talk) {
  auto part = as("u1");
  part.properties.two(property::kTopicAliasMaximum, 5)
      .two(property::kReceiveMaximum, 2)
      .four(property::kMaximumPacketSize, 200);
  talk.open("narrow", part);
  talk.subscribe("narrow", {{.filter = "open/#", .options = 1}},
                 Properties().variable(property::kSubscriptionId, 5).pair("a", "b"));
  two(talk, 5);
  PublishPart full{.qos = 0};
  full.properties.byte(property::kPayloadFormat, 1)
      .four(property::kMessageExpiry, 100)
      .text(property::kContentType, "t");
  full.properties.text(property::kResponseTopic, "open/answer").text(property::kCorrelationData, "\x01\x02");
  full.properties.pair("seq", "1").pair("server_time", "2").pair("seq", "3");
  talk.publish("speaker", "open/p", "all of them", full);
  PublishPart alias{.qos = 0};
  alias.properties.two(property::kTopicAlias, 3);
  talk.publish("speaker", "open/aliased", "named", alias);
  talk.publish("speaker", "", "by its alias", alias);
  talk.publish("speaker", "open/other", "named anew", alias);
  talk.publish("speaker", "", "by its alias", alias);
  for (std::uint16_t i = 1; i <= 4; ++i) talk.publish("speaker", "open/window", std::to_string(i), {.qos = 1, .id = i});
  for (std::uint16_t i = 1; i <= 4; ++i) talk.answer("narrow", PacketType::kPuback, i);
  talk.publish("speaker", "open/big", std::string(500, 'b'), {.qos = 1, .id = 9});
  talk.publish("speaker", "open/big", std::string(100, 'b'), {.qos = 1, .id = 10});
  talk.answer("narrow", PacketType::kPuback, 5);
  // What expires while its receiver is away does not come; a delayed will is the clock.
  auto sleeping = as("u1");
  sleeping.clean_start = false;
  sleeping.properties.four(property::kSessionExpiry, 100);
  talk.open("sleeper", sleeping);
  talk.subscribe("sleeper", {{.filter = "open/e/#", .options = 1}});
  talk.bid_farewell("sleeper");
  PublishPart expiring{.qos = 1, .id = 20};
  expiring.properties.four(property::kMessageExpiry, 1);
  talk.publish("speaker", "open/e/1", "gone by then", expiring);
  PublishPart lasting{.qos = 1, .id = 21};
  lasting.properties.four(property::kMessageExpiry, 100);
  talk.publish("speaker", "open/e/2", "still there", lasting);
  auto clock = as("u1");
  clock.properties.four(property::kSessionExpiry, 100);
  clock.will = WillPart{.topic = "open/clock", .payload = "three seconds later"};
  clock.will->properties.four(property::kWillDelay, 3);
  talk.open("clock", clock);
  talk.vanish("clock");
  talk.await("hearer", "three seconds later");
  talk.open("sleeper", sleeping);
}

void errors(Transcript& talk) {
  const auto open = [&](const std::string& name) { talk.open(name, as("u1")); };
  open("alias");
  PublishPart alias{.qos = 0};
  alias.properties.two(property::kTopicAlias, 9);
  talk.send("alias", publish_packet(5, "", "an alias that was never named", alias));
  open("zero");
  PublishPart zero{.qos = 0};
  zero.properties.two(property::kTopicAlias, 0);
  talk.send("zero", publish_packet(5, "open/x", "alias 0", zero));
  open("wild");
  talk.send("wild", publish_packet(5, "open/+/x", "a wildcard", {.qos = 1, .id = 1}));
  open("three");
  talk.send("three", publish_packet(5, "open/x", "QoS 3", {.qos = 3, .id = 1}));
  open("twice");
  talk.send("twice", connect_packet(as("u1")));
  open("nothing");
  talk.send("nothing", subscribe_packet(5, 1, {}));
  open("broken");
  talk.send("broken", publish_packet(5, "open/\xED\xA0\x80", "half a pair", {.qos = 0}));
  open("unknown");
  talk.send("unknown", packet(static_cast<PacketType>(15), 0, "x"));
  open("system");
  talk.publish("system", "$SYS/broker/version", "mine", {.qos = 1, .id = 1});
  talk.publish("system", "$other/x", "x", {.qos = 1, .id = 2});
  talk.publish("system", "$CONTROL/x", "x", {.qos = 1, .id = 3});
  for (const int protocol : {4, 5}) {
    auto wrong = as("u1", protocol);
    wrong.password = "wrong";
    talk.open("wrong", wrong);
    talk.open("nameless", {.protocol = protocol}, true);
    talk.open("clean-less", {.protocol = protocol, .clean_start = false}, true);
    auto nobody = as("nobody-of-that-name", protocol);
    talk.open("nobody", nobody);
  }
  talk.open("old", {.protocol = 3});
  auto hasty = as("u1");
  hasty.keepalive_s = 1;
  talk.open("hasty", hasty);
  talk.await("hasty", "");  // the broker ends it
}

void rules(Transcript& talk) {
  for (const int protocol : {4, 5}) {
    talk.open("u2", as("u2", protocol));
    talk.open("all", as("u1", protocol));
    talk.open("anonymous", {.protocol = protocol});
    talk.subscribe("all", {{.filter = "#", .options = 0}});
    const std::vector<std::string> topics{"open/x",   "open/secret/x", "readable/x", "writable/x",     "own/u2/x",
                                          "own/u1/x", "chatter/x",     "elsewhere",  "$share/g/open/x"};
    for (const auto* name : {"u2", "anonymous"}) {
      for (const auto& topic : topics) {
        talk.subscribe(name, {{.filter = topic, .options = 1}, {.filter = topic + "/#", .options = 0}});
        talk.publish(name, topic, "by the rules", {.qos = 1, .id = 1});
        talk.publish(name, topic, "by the rules", {.qos = 2, .id = 2});
        talk.answer(name, PacketType::kPubrel, 2);
        talk.publish(name, topic, "by the rules", {.qos = 0, .retain = true});
        talk.unsubscribe(name, {topic});
      }
      talk.subscribe(name, {{.filter = "#", .options = 0}, {.filter = "+/x", .options = 0}});
    }
    for (const auto& topic : topics) {
      talk.publish("all", topic, "to whom it may concern", {.qos = 0, .retain = true});
      talk.publish("all", topic, "", {.qos = 0, .retain = true});
    }
    for (const auto* name : {"u2", "all", "anonymous"}) talk.bid_farewell(name);
  }
}

class Untouched : public ::testing::TestWithParam<std::pair<const char*, Script>> {
 protected:
  struct Brokers {
    std::string rules;
    std::unique_ptr<Stack> bare, chatting;
  };
  static Brokers& brokers() {
    static Brokers both;
    return both;
  }
  static void SetUpTestSuite() {
    auto& both = brokers();
    both.rules = std::string(CHAT_TEST_BINARY_DIR) + "/untouched-rules-" + std::to_string(getpid());
    std::ofstream(both.rules) << kRules;
    const auto conf = "allow_anonymous true\nacl_file " + both.rules;
    both.bare = std::make_unique<Stack>(StackOptions{.broker_conf = conf, .bare = true, .users = 2});
    both.chatting =
        std::make_unique<Stack>(StackOptions{.plugin = {{"acl_mode", "defer"}}, .broker_conf = conf, .users = 2});
  }
  static void TearDownTestSuite() {
    auto& both = brokers();
    both.bare.reset();
    both.chatting.reset();
    std::filesystem::remove(both.rules);
    std::cout << exchanges() << " packets were compared\n";
    EXPECT_GT(exchanges(), 1000U);
  }
  static std::size_t& exchanges() {
    static std::size_t count = 0;
    return count;
  }
};

TEST_P(Untouched, SaysTheSameWithThePluginAsWithoutIt) {
  ASSERT_TRUE(brokers().bare && brokers().chatting) << "the brokers did not start";
  // What the chat itself tells users who subscribe to everything is not the others' business.
  Transcript bare(brokers().bare->port(), "chat/");
  Transcript chatting(brokers().chatting->port(), "chat/");
  // At once: both wait for the same clocks.
  const auto speak = [](Transcript* talk, std::string* trouble) {
    try {
      GetParam().second(*talk);
    } catch (const std::exception& problem) {
      *trouble = problem.what();
    }
  };
  std::string bare_trouble;
  std::string trouble;
  std::thread beside(speak, &bare, &bare_trouble);
  speak(&chatting, &trouble);
  beside.join();
  EXPECT_EQ(bare_trouble, "") << "without the plugin";
  EXPECT_EQ(trouble, "") << "with the plugin";
  const auto& left = bare.lines();
  const auto& right = chatting.lines();
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const auto without_plugin = i < left.size() ? left[i] : "(nothing)";
    const auto with_plugin = i < right.size() ? right[i] : "(nothing)";
    if (without_plugin == with_plugin) continue;
    for (std::size_t before = i > 4 ? i - 4 : 0; before < i; ++before) std::cout << "  both: " << left[before] << "\n";
    FAIL() << "line " << i << "\n  without the plugin: " << without_plugin << "\n  with it:            " << with_plugin;
  }
  exchanges() += bare.exchanges();
  std::cout << GetParam().first << ": " << bare.exchanges() << " packets\n";
}

INSTANTIATE_TEST_SUITE_P(Mqtt, Untouched,
                         ::testing::Values(std::pair("QualitiesOfService", Script(qualities_of_service)),
                                           std::pair("Retained", Script(retained)), std::pair("Wills", Script(wills)),
                                           std::pair("Sessions", Script(sessions)),
                                           std::pair("Subscriptions", Script(subscriptions)),
                                           std::pair("Properties", Script(properties)),
                                           std::pair("Errors", Script(errors)), std::pair("Rules", Script(rules))),
                         [](const auto& which) { return std::string(which.param.first); });

}  // namespace
}  // namespace chat::test
