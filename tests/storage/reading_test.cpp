// What the loader and the catch-up read.
#include <gtest/gtest.h>

#include "tests/storage/both_stores.h"

namespace chat::test {
namespace {

class Reading : public BothStores {
 protected:
  std::vector<Seq> seqs(std::span<const PageWant> wants, int limit, std::size_t bytes = 1 << 30) {
    std::vector<Seq> found;
    for (const auto& message : store().messages_above(wants, limit, bytes)) {
      found.push_back(message.conv_id * 100 + message.seq);
    }
    return found;
  }
};
CHAT_ON_BOTH_STORES(Reading);

TEST_P(Reading, PagesFollowTheOrderOfTheWants) {
  const auto one = group({"alice", "bob"});
  const auto two = group({"alice", "bob"});
  commit({.messages = {message(one, 1, "alice", now_), message(two, 1, "alice", now_), message(one, 2, "bob", now_),
                       message(one, 3, "bob", now_), message(two, 2, "bob", now_)}});
  const Seq a = one.id * 100;
  const Seq b = two.id * 100;
  const std::vector<PageWant> wants{{two.id, 0}, {4711, 0}, {one.id, 1}};
  EXPECT_EQ(seqs(wants, 100), (std::vector{b + 1, b + 2, a + 2, a + 3}));
  EXPECT_EQ(seqs(wants, 3), (std::vector{b + 1, b + 2, a + 2}));
  EXPECT_EQ(seqs(wants, 0), std::vector<Seq>{});
  EXPECT_EQ(seqs({}, 100), std::vector<Seq>{});
}

TEST_P(Reading, APageEndsBehindTheRowThatReachesTheBytes) {
  const auto conv = group({"alice"});
  std::vector<StoredMessage> messages;
  for (Seq seq = 1; seq <= 4; ++seq) {
    messages.push_back(message(conv, seq, "alice", now_));
    messages.back().payload = std::string(100, 'x');
  }
  commit({.messages = messages});
  const std::vector<PageWant> wants{{conv.id, 0}};
  EXPECT_EQ(seqs(wants, 100, 0).size(), 1U);
  EXPECT_EQ(seqs(wants, 100, 100).size(), 1U);
  EXPECT_EQ(seqs(wants, 100, 101).size(), 2U);
  EXPECT_EQ(seqs(wants, 100, 300).size(), 3U);
}

TEST_P(Reading, ADirectConversationIsMadeForTwoUsersThatExist) {
  store().add_user("alice");
  store().add_user("bob");
  EXPECT_EQ(store().load_conversation("dm:alice:carol", {}), std::nullopt);
  EXPECT_EQ(store().load_conversation("dm:bob:alice", {}), std::nullopt);
  EXPECT_EQ(store().load_conversation("g:nothing", {}), std::nullopt);
  EXPECT_EQ(store().find_conversation("dm:alice:bob"), std::nullopt);
  const auto made = store().load_conversation("dm:alice:bob", {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->kind, ConversationKind::kDirect);
  EXPECT_EQ(made->last_rev, 0);
  ASSERT_EQ(made->members.size(), 2U);
  EXPECT_EQ(made->members[0], (Member{"alice", Role::kMember, 1, 1, 0}));
  EXPECT_EQ(made->members[1].user, "bob");
  EXPECT_EQ(store().load_conversation("dm:alice:bob", {}), made);
  EXPECT_EQ(store().find_conversation("dm:alice:bob"), made);
}

TEST_P(Reading, MembersComeInByteOrder) {
  const auto conv = group({"bob", "Zoe", "alice", "_x", "a.b", "a-b"});
  std::vector<std::string> users;
  for (const auto& member : conv.members) users.push_back(member.user);
  EXPECT_EQ(users, (std::vector<std::string>{"Zoe", "_x", "a-b", "a.b", "alice", "bob"}));
}

TEST_P(Reading, RecentMessagesAreThoseWithAnIdNewestLast) {
  const auto one = group({"alice", "bob"});
  const auto two = group({"alice", "bob"});
  commit({.messages = {message(one, 1, "alice", now_, "a"), message(two, 1, "alice", now_, "b"),
                       message(one, 2, "alice", now_ + 1), message(one, 3, "bob", now_ + 1, "other"),
                       message(two, 2, "alice", now_ + 3, "c"), message(one, 4, "alice", now_ + 3, "d"),
                       message(one, 5, "alice", now_ + 3, "e")}});
  const auto ids = [&](int limit) {
    std::string joined;
    const auto user = store().load_user("alice", limit, false).value();
    for (const auto& recent : user.recent) joined += recent.id;
    return joined;
  };
  EXPECT_EQ(ids(100), "abdec");
  EXPECT_EQ(ids(3), "dec");
  EXPECT_EQ(ids(0), "");
  const auto last = store().load_user("bob", 1, false)->recent.at(0);
  EXPECT_EQ(last, (RecentMessage{"other", one.name, one.id, 3, now_ + 1, message(one, 3, "bob", 0).mid,
                                 R"({"body":"message 3"})"}));
}

TEST_P(Reading, AUserIsMadeOnlyWhereThatIsAsked) {
  EXPECT_EQ(store().load_user("alice", 10, false), std::nullopt);
  EXPECT_EQ(store().load_user("alice", 10, true), (UserState{"alice", {}}));
  EXPECT_EQ(store().load_user("alice", 10, false), (UserState{"alice", {}}));
  EXPECT_EQ(store().load_user("not valid", 10, true), std::nullopt);
  EXPECT_EQ(store().list_users("", 10).size(), 1U);
}

TEST_P(Reading, EventsComeInOrderAboveARev) {
  const auto conv = group({"alice", "bob"});
  store().add_user("carol");
  store().add_member(conv.name, "carol", Role::kMember, "alice", now_ + 1);
  store().add_member(conv.name, "carol", Role::kAdmin, "alice", now_ + 2);
  store().remove_member(conv.name, "bob", "", now_ + 3);
  const auto events = store().events_above(conv.id, 0, 100);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].payload, R"({"conv":")" + conv.name + R"(","rev":1,"server_time":)" + std::to_string(now_) +
                                   R"(,"kind":"conversation.created","by":"alice","members":2})");
  EXPECT_EQ(events[1].payload, R"({"conv":")" + conv.name + R"(","rev":2,"server_time":)" + std::to_string(now_ + 1) +
                                   R"(,"kind":"member.added","user":"carol","role":"member","by":"alice"})");
  EXPECT_EQ(events[2].payload, R"({"conv":")" + conv.name + R"(","rev":3,"server_time":)" + std::to_string(now_ + 2) +
                                   R"(,"kind":"member.role","user":"carol","role":"admin","by":"alice"})");
  EXPECT_EQ(events[3], (StoredEvent{conv.id, conv.name, 4, now_ + 3,
                                    R"({"conv":")" + conv.name + R"(","rev":4,"server_time":)" +
                                        std::to_string(now_ + 3) + R"(,"kind":"member.removed","user":"bob"})"}));
  EXPECT_EQ(store().events_above(conv.id, 1, 2), (std::vector(events.begin() + 1, events.begin() + 3)));
  EXPECT_TRUE(store().events_above(conv.id, 4, 10).empty());
  EXPECT_TRUE(store().events_above(4711, 0, 10).empty());
}

}  // namespace
}  // namespace chat::test
