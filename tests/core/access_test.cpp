#include "plugin/core/access.h"

#include <gtest/gtest.h>
#include <mosquitto.h>

#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace chat {
namespace {

using Kind = SubscribeDecision::Kind;

struct Row {
  std::string filter;
  Kind kind;
  bool shared = false;
  std::string conversation = {};
};

void check(const std::string& prefix, const std::string& user, const std::vector<Row>& rows, bool is_bridge = false) {
  const TopicSpace topics(prefix);
  for (const auto& row : rows) {
    const auto decision = decide_subscribe(topics, row.filter, user, is_bridge);
    EXPECT_EQ(static_cast<int>(decision.kind), static_cast<int>(row.kind))
        << row.filter << " by " << user << ": " << decision.reason;
    EXPECT_EQ(decision.shared, row.shared) << row.filter;
    EXPECT_EQ(decision.conversation, row.conversation) << row.filter;
    EXPECT_EQ(decision.reason.empty(), decision.kind != Kind::kRefused) << row.filter;
  }
}

TEST(DecideSubscribe, TableForAUser) {
  check("chat", "bob",
        {
            {"chat/u/bob/inbox", Kind::kOwn},
            {"chat/u/bob/#", Kind::kOwn},
            {"chat/u/bob/+", Kind::kOwn},
            {"chat/u/bob/reply/phone", Kind::kOwn},
            {"chat/u/bob/", Kind::kOwn},
            {"+/u/bob/inbox", Kind::kOwn},
            {"+/u/bob/#", Kind::kOwn},
            {"chat/u/bob", Kind::kRefused},
            {"chat/u/alice/inbox", Kind::kRefused},
            {"chat/u/+/inbox", Kind::kRefused},
            {"chat/u/#", Kind::kRefused},
            {"chat/u", Kind::kRefused},
            {"chat/u/bobby/inbox", Kind::kRefused},
            {"chat/u/BOB/inbox", Kind::kRefused},
            {"chat/u//inbox", Kind::kRefused},
            {"chat/+/bob/inbox", Kind::kRefused},
            {"chat/+/bob/#", Kind::kRefused},
            {"chat/#", Kind::kRefused},
            {"chat/+", Kind::kRefused},
            {"chat/+/#", Kind::kRefused},
            {"chat/+/+/+", Kind::kRefused},
            {"chat/", Kind::kRefused},
            {"+/status", Kind::kOutside},
            {"+/", Kind::kOutside},
            {"+/status/#", Kind::kOutside},
            {"+/+/temperature", Kind::kOutside},
            {"+/+/temperature/#", Kind::kRefused},
            {"chat/status", Kind::kRefused},
            {"+/u/alice/inbox", Kind::kRefused},
            {"+/u/+/inbox", Kind::kRefused},
            {"+/+/bob/inbox", Kind::kRefused},
            {"#", Kind::kEverything},
            {"+/#", Kind::kEverything},
            {"+/+/+/+", Kind::kEverything},
            {"+/+", Kind::kEverything},
            {"chat/c/g:1/msg", Kind::kConversation, false, "g:1"},
            {"chat/c/dm:a:b/msg", Kind::kConversation, false, "dm:a:b"},
            {"+/c/g:1/msg", Kind::kConversation, false, "g:1"},
            {"$share/g/chat/c/g:1/msg", Kind::kConversation, true, "g:1"},
            {"chat/c//msg", Kind::kConversation, false, ""},
            {"chat/c/+/msg", Kind::kRefused},
            {"chat/c/#", Kind::kRefused},
            {"chat/c/g:1/#", Kind::kRefused},
            {"chat/c/g:1/+", Kind::kRefused},
            {"chat/c/g:1/typing", Kind::kRefused},
            {"chat/c/g:1", Kind::kRefused},
            {"chat/c/g:1/msg/#", Kind::kRefused},
            {"chat/d/bob/msg", Kind::kRefused},
            {"chat/d/#", Kind::kRefused},
            {"chat/ack", Kind::kRefused},
            {"chat/sync", Kind::kRefused},
            {"chat/rpc/#", Kind::kRefused},
            {"chat/rpc/ping", Kind::kRefused},
            {"+/rpc/ping", Kind::kRefused},
            {"$share/g/chat/u/bob/inbox", Kind::kRefused, true},
            {"$share/g/chat/u/bob/#", Kind::kRefused, true},
            {"$share/g/chat/#", Kind::kRefused, true},
            {"$share/g/#", Kind::kEverything, true},
            {"$share/g/other", Kind::kOutside, true},
            {"$share/chat/u/bob/inbox", Kind::kOutside, true},  // a group named chat; the filter is u/bob/inbox
            {"chat", Kind::kOutside},
            {"chatter/#", Kind::kOutside},
            {"other/chat/u/alice/#", Kind::kOutside},
            {"/chat/u/alice/inbox", Kind::kOutside},
            {"$SYS/#", Kind::kOutside},
            {"/#", Kind::kOutside},
        });
}

TEST(DecideSubscribe, ThePrefixItselfIsNobodysAndAllWildIsEverybodys) {
  // "+" matches the prefix as a topic at most, and nothing is published there: either answer gives nobody anything of
  // ours.
  const auto kind = decide_subscribe(TopicSpace("chat"), "+", "bob", false).kind;
  EXPECT_TRUE(kind == Kind::kOutside || kind == Kind::kEverything);
}

TEST(DecideSubscribe, TableForTheBridge) {
  check("chat", "chat-bridge",
        {{"chat/rpc/#", Kind::kRequests},
         {"chat/rpc/ping", Kind::kRequests},
         {"chat/u/bob/inbox", Kind::kRefused},
         {"chat/#", Kind::kRefused}},
        true);
}

TEST(DecideSubscribe, AnAnonymousClientGetsNothingOfOurs) {
  check("chat", "",
        {{"chat/u//inbox", Kind::kRefused},
         {"chat/u/bob/inbox", Kind::kRefused},
         {"chat/c/g:1/msg", Kind::kRefused},
         {"chat/rpc/#", Kind::kRefused},
         {"#", Kind::kEverything},
         {"weather", Kind::kOutside}});
}

TEST(DecideSubscribe, PrefixOfSeveralLevels) {
  check("org/chat", "bob",
        {{"org/chat/u/bob/inbox", Kind::kOwn},
         {"+/+/u/bob/inbox", Kind::kOwn},
         {"org/+/u/bob/#", Kind::kOwn},
         {"org/#", Kind::kRefused},
         {"org/+/#", Kind::kRefused},
         {"+/chat/#", Kind::kRefused},
         {"org/+/u/+/inbox", Kind::kRefused},
         {"org", Kind::kOutside},
         {"org/other/#", Kind::kOutside},
         {"org/+", Kind::kOutside},
         {"+/#", Kind::kEverything},
         {"#", Kind::kEverything}});
}

TEST(DecideSubscribe, ALongFilterIsDecidedAndItsReasonFitsASentence) {
  const std::string long_filter = "chat/u/" + std::string(60'000, 'x') + "/inbox";
  const auto decision = decide_subscribe(TopicSpace("chat"), long_filter, "bob", false);
  EXPECT_EQ(decision.kind, Kind::kRefused);
  EXPECT_LT(decision.reason.size(), 400U);
  std::string deep = "chat";
  for (int i = 0; i < 10'000; ++i) deep += "/";
  EXPECT_EQ(decide_subscribe(TopicSpace("chat"), deep, "bob", false).kind, Kind::kRefused);
}

std::string random_path(std::mt19937_64& random, bool filter) {
  static const std::vector<std::string> kWords{"a", "b", "chat", "u", "", "$SYS", "$x"};
  std::string path;
  const auto levels = 1 + random() % 5;
  for (std::size_t i = 0; i < levels; ++i) {
    if (i > 0) path += "/";
    const auto roll = random() % 10;
    if (filter && roll < 2) {
      path += "+";
    } else if (filter && roll == 2 && i + 1 == levels) {
      path += "#";
    } else {
      path += kWords[random() % kWords.size()];
    }
  }
  return path;
}

TEST(FilterMatches, AgreesWithTheBrokersLibraryOnRandomFiltersAndTopics) {
  auto random = test::generator("filter_matches");
  int compared = 0;
  int matched = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto filter = random_path(random, true);
    const auto topic = random_path(random, false);
    if (filter.empty() || topic.empty()) continue;
    bool theirs = false;
    ASSERT_EQ(mosquitto_topic_matches_sub(filter.c_str(), topic.c_str(), &theirs), MOSQ_ERR_SUCCESS)
        << filter << " / " << topic;
    EXPECT_EQ(filter_matches(filter, topic), theirs) << "filter " << filter << ", topic " << topic;
    ++compared;
    matched += theirs ? 1 : 0;
  }
  EXPECT_GT(compared, 50'000);
  EXPECT_GT(matched, 1000);  // or nothing was tested
}

// Whatever is granted without a look at each delivery must match no other user's topics.
TEST(DecideSubscribe, AGrantedFilterMatchesNobodyElsesTopics) {
  auto random = test::generator("granted");
  const TopicSpace topics("chat");
  int granted = 0;
  const std::vector<std::string> words{"chat", "u", "bob", "alice", "c", "g:1", "msg", "rpc", "+", "inbox", ""};
  for (int i = 0; i < 100'000; ++i) {
    std::string filter = random() % 3 == 0 ? "$share/g/" : "";
    const auto offset = filter.size();
    const auto levels = 1 + random() % 5;
    for (std::size_t level = 0; level < levels; ++level) {
      if (level > 0) filter += "/";
      filter += level + 1 == levels && random() % 4 == 0 ? "#" : words[random() % words.size()];
    }
    const auto decision = decide_subscribe(topics, filter, "bob", false);
    const auto bare = filter.substr(offset);
    if (decision.kind != Kind::kOwn && decision.kind != Kind::kOutside) continue;
    granted += decision.kind == Kind::kOwn ? 1 : 0;
    // To chat/u/alice nobody publishes, and the other two nobody hears: they may be outside, as "+/+/alice" is.
    if (decision.kind == Kind::kOwn) {
      for (const auto* topic : {"chat/u/alice", "chat/ack", "chat/rpc/ping"}) {
        EXPECT_FALSE(filter_matches(bare, topic)) << filter;
      }
    }
    for (const auto* topic : {"chat/u/alice/inbox", "chat/c/g:1/msg", "chat/d/bob/msg", "chat/u//inbox"}) {
      EXPECT_FALSE(filter_matches(bare, topic)) << filter << " matches " << topic;
    }
    if (decision.kind == Kind::kOutside) {
      EXPECT_FALSE(filter_matches(bare, "chat/u/bob/inbox")) << filter;
    }
    // Topics that are delivered to nobody, or to the bridge alone: only a wildcard in the prefix' place may cover them.
    if (bare.starts_with("chat/")) {
      for (const auto* topic : {"chat/u/alice", "chat/rpc/ping", "chat/ack"}) {
        EXPECT_FALSE(filter_matches(bare, topic)) << filter << " matches " << topic;
      }
    }
  }
  EXPECT_GT(granted, 20);
}

}  // namespace
}  // namespace chat
