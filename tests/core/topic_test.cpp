#include "plugin/core/topic.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugin/core/latest_topics.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

TEST(TopicSpaceTest, KnowsEveryTopicThatClientsPublishTo) {
  const TopicSpace topics("chat");
  const struct {
    std::string_view topic;
    PublishKind kind;
    std::string_view name;
    std::string_view operation;
  } rows[] = {
      {"chat/c/g:1/msg", PublishKind::kMessage, "g:1", ""},
      {"chat/c/dm:a:b/delivered", PublishKind::kDelivered, "dm:a:b", ""},
      {"chat/c/g:1/read", PublishKind::kRead, "g:1", ""},
      {"chat/c/g:1/recall", PublishKind::kRecall, "g:1", ""},
      {"chat/c/g:1/edit", PublishKind::kEdit, "g:1", ""},
      {"chat/c/g:1/react", PublishKind::kReact, "g:1", ""},
      {"chat/c/g:1/typing", PublishKind::kTyping, "g:1", ""},
      {"chat/d/bob/msg", PublishKind::kDirect, "bob", ""},
      {"chat/ack", PublishKind::kAckMany, "", ""},
      {"chat/sync", PublishKind::kSync, "", ""},
      {"chat/rpc/history", PublishKind::kRpc, "", "history"},
      {"chat/rpc/conversation.list", PublishKind::kRpc, "", "conversation.list"},
      {"chat/u/bob/inbox", PublishKind::kUserTopic, "bob", ""},
      {"chat/u/bob/reply/phone", PublishKind::kUserTopic, "bob", ""},
      {"chat/u/bob/order/forward", PublishKind::kForward, "bob", ""},
      {"chat/u/bob/order/kick", PublishKind::kKick, "bob", ""},
      {"chat/u/bob/order/other", PublishKind::kUserTopic, "bob", ""},
      {"chat/c//msg", PublishKind::kMessage, "", ""},
  };
  for (const auto& row : rows) {
    const auto parsed = topics.parse(row.topic);
    ASSERT_TRUE(parsed) << row.topic;
    EXPECT_EQ(parsed->kind, row.kind) << row.topic;
    EXPECT_EQ(parsed->name, row.name) << row.topic;
    EXPECT_EQ(parsed->operation, row.operation) << row.topic;
  }
}

TEST(TopicSpaceTest, TheRestUnderThePrefixIsOursAndUnknown) {
  const TopicSpace topics("chat");
  for (const auto* topic :
       {"chat", "chat/", "chat/c", "chat/c/g:1", "chat/c/g:1/", "chat/c/g:1/msg/", "chat/c/g:1/msg/x", "chat/c/g:1/Msg",
        "chat/d/bob", "chat/d/bob/inbox", "chat/u", "chat/u/bob", "chat/rpc", "chat/rpc/", "chat/rpc/a/b", "chat/ack/",
        "chat/sync/x", "chat/acks", "chat//msg"}) {
    const auto parsed = topics.parse(topic);
    ASSERT_TRUE(parsed) << topic;
    EXPECT_EQ(parsed->kind, PublishKind::kUnknown) << topic;
  }
}

TEST(TopicSpaceTest, OtherTopicsAreNotOurs) {
  const TopicSpace topics("chat");
  for (const auto* topic : {"", "cha", "chatter", "chatter/ack", "/chat/ack", "Chat/ack", "x/chat/ack", "$SYS/chat"}) {
    EXPECT_FALSE(topics.parse(topic)) << topic;
    EXPECT_FALSE(topics.below_prefix(topic)) << topic;
  }
}

TEST(TopicSpaceTest, APrefixMayHaveSeveralLevels) {
  const TopicSpace topics("org/chat");
  EXPECT_EQ(topics.parse("org/chat/ack")->kind, PublishKind::kAckMany);
  EXPECT_FALSE(topics.parse("org/ack"));
  EXPECT_FALSE(topics.parse("org/chats/ack"));
  EXPECT_EQ(topics.below_prefix("org/chat/u/bob/x"), "u/bob/x");
  EXPECT_EQ(topics.user("bob", "inbox"), "org/chat/u/bob/inbox");
  EXPECT_EQ(topics.conversation("g:1", "msg"), "org/chat/c/g:1/msg");
}

TEST(TopicSpaceTest, PrefixesThatCouldNotWorkAreInvalid) {
  for (const auto& good : std::vector<std::string>{"chat", "a", "org/chat", "x-1_y.z", std::string(64, 'x')}) {
    EXPECT_TRUE(TopicSpace::valid_prefix(good)) << good;
  }
  for (const auto& bad : std::vector<std::string>{"", "/", "/chat", "chat/", "a//b", "a/+", "#", "$chat", "a b", "a\tb",
                                                  "caf\xc3\xa9", std::string(65, 'x')}) {
    EXPECT_FALSE(TopicSpace::valid_prefix(bad)) << bad;
  }
}

TEST(LatestTopicsTest, AnswersWhatParsingAnswersAlsoWhenTheTopicThatWasAskedForIsGone) {
  auto random = test::generator("latest topics");
  const TopicSpace topics("chat");
  LatestTopics latest(topics);
  const std::vector<std::string> known{"chat/c/g:1/msg", "chat/c/g:2/msg",     "chat/c/g:22/msg", "chat/c//msg",
                                       "chat/d/bob/msg", "chat/ack",           "chat/rpc/a",      "chat/u/bob/inbox",
                                       "chat",           "chat/c/g:1/nothing", "elsewhere/x",     ""};
  std::vector<std::string> all = known;  // more than it remembers
  for (int i = 0; i < 300; ++i) all.push_back("chat/c/g:" + std::to_string(i) + (i % 2 == 0 ? "/msg" : "/read"));
  for (int i = 0; i < 20'000; ++i) {
    const auto& one = random() % 2 == 0 ? known[random() % known.size()] : all[random() % all.size()];
    for (auto times = 1 + random() % 3; times > 0; --times) {
      std::string topic(one.begin(), one.end());  // the broker's pointer is another one each time
      const auto wanted = topics.parse(one);
      const auto* parsed = latest.parse(topic);
      topic.assign(topic.size(), '?');
      ASSERT_EQ(parsed != nullptr, wanted.has_value()) << one;
      if (parsed == nullptr) continue;
      ASSERT_EQ(parsed->kind, wanted->kind) << one;
      ASSERT_EQ(parsed->name, wanted->name) << one;
      ASSERT_EQ(parsed->operation, wanted->operation) << one;
    }
  }
}

}  // namespace
}  // namespace chat
