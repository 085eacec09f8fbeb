#include "storage/names.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/labels.h"
#include "storage/uuid.h"

namespace chat::test {
namespace {

TEST(Names, UsersAreShortAndPlain) {
  for (const auto* name : {"a", "Alice.B-2_c@example.org", "null", "-", "0"})
    EXPECT_TRUE(valid_user_name(name)) << name;
  EXPECT_TRUE(valid_user_name(std::string(64, 'x')));
  EXPECT_FALSE(valid_user_name(std::string(65, 'x')));
  for (const auto* name : {"", "a b", "a/b", "a:b", "a+", "#", "é", "a\n", "$x"})
    EXPECT_FALSE(valid_user_name(name)) << name;
  EXPECT_FALSE(valid_user_name(std::string("a\0b", 3)));
}

TEST(Names, ADirectConversationHasOneNameForBoth) {
  EXPECT_EQ(direct_name("bob", "alice"), "dm:alice:bob");
  EXPECT_EQ(direct_name("alice", "bob"), "dm:alice:bob");
  EXPECT_EQ(direct_name("a", "B"), "dm:B:a");  // by bytes
  ASSERT_TRUE(direct_users("dm:alice:bob"));
  EXPECT_EQ(direct_users("dm:alice:bob")->second, "bob");
}

TEST(Names, ADirectNameInAnyOtherFormIsNone) {
  for (const auto* name : {"dm:bob:alice", "dm:alice:alice", "dm:alice", "dm:alice:", "dm::bob", "dm:a:b:c", "DM:a:b",
                           "dm:a b:c", "g:a"}) {
    EXPECT_FALSE(direct_users(name)) << name;
  }
}

TEST(Names, GroupsAreKnownByTheirPrefix) {
  for (const auto* name : {"g:a", "g:A-z_09", "dm:alice:bob"}) EXPECT_TRUE(valid_conversation_name(name)) << name;
  EXPECT_TRUE(valid_conversation_name("g:" + std::string(64, 'x')));
  EXPECT_FALSE(valid_conversation_name("g:" + std::string(65, 'x')));
  for (const auto* name : {"", "g:", "a", "g:a.b", "g:a/b", "g:+", "dm:b:a"})
    EXPECT_FALSE(valid_conversation_name(name)) << name;
}

TEST(Names, NewGroupsAreValidAndDiffer) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    const auto name = new_group_name();
    EXPECT_TRUE(valid_conversation_name(name)) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 1000U);
}

TEST(Names, DevicesFitIntoADatabaseKey) {
  EXPECT_TRUE(valid_device_name("a phone/1 (聊)"));
  EXPECT_TRUE(valid_device_name(std::string(256, 'x')));
  EXPECT_FALSE(valid_device_name(std::string(257, 'x')));
  EXPECT_FALSE(valid_device_name(""));
}

TEST(Names, LabelsGoThereAndBack) {
  for (const auto role : {Role::kMember, Role::kAdmin, Role::kOwner}) EXPECT_EQ(role_from(label(role)), role);
  for (int i = 0; i < 8; ++i) {
    const auto type = static_cast<MessageType>(i);
    EXPECT_EQ(message_type_from(label(type)), type) << i;
  }
  for (const auto replay : {Replay::kFull, Replay::kNewest}) EXPECT_EQ(replay_from(label(replay)), replay);
  for (const auto ack : {AckMode::kClient, AckMode::kAuto}) EXPECT_EQ(ack_mode_from(label(ack)), ack);
  EXPECT_EQ(role_from("Owner"), std::nullopt);
  EXPECT_EQ(message_type_from(""), std::nullopt);
  EXPECT_EQ(label(MessageType::kVoice), "voice");
}

TEST(Names, UuidsGoThereAndBack) {
  const Uuid uuid{0x01, 0x97, 0xab, 0xcd, 0xef, 0x00, 0x7f, 0xff, 0x80, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
  EXPECT_EQ(uuid_text(uuid), "0197abcd-ef00-7fff-8012-3456789abcde");
  EXPECT_EQ(parse_uuid("0197ABCD-ef00-7fff-8012-3456789abcde"), uuid);
  for (const auto* text : {"", "0197abcd-ef00-7fff-8012-3456789abcd", "0197abcdef007fff80123456789abcde",
                           "0197abcd-ef00-7fff-8012-3456789abcdg", "0197abcd-ef00-7fff-801203456789abcde"}) {
    EXPECT_EQ(parse_uuid(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace chat::test
