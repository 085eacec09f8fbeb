#include "bridge/rpc/topics.h"

#include <gtest/gtest.h>

#include <string>

namespace chat {
namespace {

ReplyPlace place(const std::optional<std::string>& response_topic, const std::string& device = "phone") {
  return reply_place("chat", "alice", device, response_topic);
}

TEST(ReplyPlace, WithoutAResponseTopicItIsTheDevicesReplyTopic) {
  EXPECT_EQ(place(std::nullopt).topic, "chat/u/alice/reply/phone");
  EXPECT_EQ(place(std::nullopt).refusal, "");
  EXPECT_EQ(place(std::nullopt, "a/b").topic, "chat/u/alice/reply/a/b");
}

TEST(ReplyPlace, AResponseTopicUnderTheUsersOwnTopicsIsTaken) {
  EXPECT_EQ(place("chat/u/alice/x").topic, "chat/u/alice/x");
  EXPECT_EQ(place("chat/u/alice/x/ü/z").topic, "chat/u/alice/x/ü/z");
}

TEST(ReplyPlace, AnyOtherResponseTopicIsRefusedOnTheErrorTopic) {
  for (const std::string topic :
       {"", "x", "chat/u/bob/x", "chat/u/alice", "chat/u/alice/", "chat/u/alicex/y", "Chat/u/alice/x",
        "/chat/u/alice/x", "chat/u/alice/#", "chat/u/alice/+/x", "chat/u/alice/a+b", "chat/u/alice/\x01",
        "chat/u/alice/\xc2\x85", "chat/u/alice/\xff", "chat/rpc/ping"}) {
    const ReplyPlace got = place(topic);
    EXPECT_EQ(got.topic, "chat/u/alice/error") << topic;
    EXPECT_NE(got.refusal.find("Response Topic"), std::string::npos) << topic;
  }
  EXPECT_EQ(place(std::string("chat/u/alice/a\0b", 16)).topic, "chat/u/alice/error");
}

TEST(ReplyPlace, ADeviceThatFitsInNoTopicIsRefusedOnTheErrorTopic) {
  for (const std::string& device : {std::string(), std::string("a#"), std::string("+"), std::string("a\nb"),
                                    std::string(kTopicSlashesMax, '/'), std::string(kTopicBytesMax, 'x')}) {
    const ReplyPlace got = place(std::nullopt, device);
    EXPECT_EQ(got.topic, "chat/u/alice/error") << device.substr(0, 20);
    EXPECT_NE(got.refusal.find("client id"), std::string::npos);
  }
  EXPECT_EQ(place("chat/u/alice/x", "a#").topic, "chat/u/alice/x") << "the device does not matter where it is not used";
}

TEST(Topics, TheOperationIsWhatStandsBehindTheRequestPrefix) {
  EXPECT_EQ(operation_of("chat", "chat/rpc/ping"), "ping");
  EXPECT_EQ(operation_of("acme/chat", "acme/chat/rpc/member.add"), "member.add");
  EXPECT_EQ(operation_of("chat", "chat/rpc/a/b"), "a/b");
  EXPECT_EQ(operation_of("chat", "chat/rpc/"), "");
  EXPECT_EQ(operation_of("chat", "chat/rpc"), std::nullopt);
  EXPECT_EQ(operation_of("chat", "chats/rpc/ping"), std::nullopt);
  EXPECT_EQ(operation_of("chat", "cha"), std::nullopt);
}

TEST(Topics, PrefixesAreChecked) {
  for (const std::string prefix : {"chat", "acme/chat", "ü"}) EXPECT_TRUE(valid_prefix(prefix)) << prefix;
  for (const std::string prefix : {"", "/chat", "chat/", "a//b", "a/+", "#", "$SYS", "a\tb"}) {
    EXPECT_FALSE(valid_prefix(prefix)) << prefix;
  }
  EXPECT_FALSE(valid_prefix(std::string(201, 'x')));
}

}  // namespace
}  // namespace chat
