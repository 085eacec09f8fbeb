// Everything that changes somebody's unread messages is told, and how they stand then is what chat_unread() says.
#include "storage/activity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "storage/requests.h"
#include "storage/store.h"
#include "storage/unread.h"
#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr TimeMs kNow = 1'750'000'000'000;

TEST(ActivityNotice, WhatIsWrittenIsReadAgainAndNoNoticeIsTooLong) {
  ActivityNotices notices;
  std::vector<ConvId> convs;
  std::vector<MemberKey> members;
  for (ConvId i = 1; i <= 2000; ++i) {
    notices.add(i * 1'000'000'007);
    convs.push_back(i * 1'000'000'007);
    members.push_back({i, std::string(60, 'u') + std::to_string(i)});
    notices.add(i, members.back().user);
  }
  Activity activity;
  for (const auto& text : notices.texts()) {
    EXPECT_LT(text.size(), 7900U);
    read_activity(text, &activity);
  }
  EXPECT_GT(notices.texts().size(), 10U);
  EXPECT_FALSE(activity.everything);
  EXPECT_EQ(activity.conversations, convs);
  EXPECT_EQ(activity.members, members);
}

TEST(ActivityNotice, WhatCantBeReadMeansEverything) {
  for (const auto* text : {"", " ", "x", "1 ", "1:", "1:a b", "-1", "0", "1:no/name", "99999999999999999999"}) {
    Activity activity;
    read_activity(text, &activity);
    EXPECT_TRUE(activity.everything) << '"' << text << '"';
  }
}

class ActivityTest : public testing::Test {
 protected:
  ActivityTest() : uri_(server_.migrated_database()), store_(open_postgres(uri_, "test")) {
    for (const auto* name : {"alice", "bob", "carol"}) store_->add_user(name);
    const std::string others[] = {"bob"};
    name_ = store_->create_group("", "alice", others, kNow);
    conv_ = store_->find_conversation(name_).value();
    unread_ = open_unread_store(uri_, "test");
    feed_ = open_activity_feed(uri_, "test");
    EXPECT_TRUE(feed_->wait(kPatience).everything);
  }

  void commit(Batch batch) {
    batch.journal = kJournal;
    batch.from = position_;
    batch.to = position_ += 100;
    store_->commit(batch);
  }
  void send(Seq seq, const std::string& sender = "alice") {
    commit({.messages = {message(conv_, seq, sender, kNow)}});
    EXPECT_EQ(heard(), std::set<std::string>{"all"});
  }

  // What one change tells: "all" for everybody in the group, else the names.
  std::set<std::string> heard() {
    const auto activity = feed_->wait(kPatience);
    EXPECT_FALSE(activity.everything);
    std::set<std::string> who;
    for (const auto conv : activity.conversations) who.insert(conv == conv_.id ? "all" : "another");
    for (const auto& key : activity.members) who.insert(key.conv_id == conv_.id ? key.user : "another");
    return who;
  }

  UnreadStanding standing(const std::string& user, TimeMs now = kNow) {
    const MemberKey key{conv_.id, user};
    const auto one = unread_->of_members(std::span(&key, 1), now).at(0);
    for (const auto& other : unread_->of_user(user, now)) {
      if (other.key != key) continue;
      EXPECT_EQ(other.row.unread, one.row.unread);
      EXPECT_EQ(other.row.mentions, one.row.mentions);
      EXPECT_EQ(other.changes_at, one.changes_at);
      EXPECT_EQ(other.active, one.active);
    }
    return one;
  }

  RequestKey request(const std::string& user) {
    return {user, "r-" + std::to_string(++requests_), "test", std::to_string(requests_), kNow};
  }

  PrivatePostgres& server_ = PrivatePostgres::shared();
  std::string uri_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<UnreadStore> unread_;
  std::unique_ptr<ActivityFeed> feed_;
  std::string name_;
  ConversationState conv_;
  Position position_ = 64;
  int requests_ = 0;
};

TEST_F(ActivityTest, ACommitTellsOfItsConversationsAndOfThoseWhoRead) {
  send(1);
  EXPECT_EQ(standing("bob").row.unread, 1);
  EXPECT_EQ(standing("bob").row.conv, name_);
  EXPECT_EQ(standing("alice").row.unread, 0);
  commit({.cursors = {{conv_.id, "bob", "phone", 1, 1, 1, kNow}}});
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_EQ(standing("bob").row.unread, 0);
}

// What a request may rely on: an answer to COMMIT, then the question, however short the time between.
TEST_F(ActivityTest, WhatWasCommittedBeforeTheQuestionIsHeard) {
  for (Seq seq = 1; seq <= 300; ++seq) {
    commit({.messages = {message(conv_, seq, "alice", kNow)}});
    const auto activity = feed_->so_far();
    ASSERT_FALSE(activity.everything);
    ASSERT_EQ(activity.conversations, std::vector<ConvId>{conv_.id}) << "message " << seq;
  }
  EXPECT_TRUE(feed_->so_far().empty());
  EXPECT_TRUE(open_activity_feed(uri_, "test")->so_far().everything) << "one that has just begun may have missed all";
}

TEST_F(ActivityTest, DeliveriesAreNotTold) {
  send(1);
  commit({.cursors = {{conv_.id, "bob", "phone", 1, 1, 0, kNow}}});
  send(2);  // the next that is heard
}

TEST_F(ActivityTest, WhatRequestsChangeIsToldOfTheOneWhoAsked) {
  send(1);
  send(2);
  const auto requests = open_request_store(uri_, "test");
  const auto change = [&](const std::string& user, const std::function<void(RequestChanges&)>& work) {
    requests->once(request(user), [&](RequestChanges& changes) {
      work(changes);
      return std::string("{}");
    });
  };
  const Seq second = 2;
  change("bob", [&](auto& changes) { changes.delete_messages(name_, std::span(&second, 1)); });
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_EQ(standing("bob").row.unread, 1);
  change("bob", [&](auto& changes) { changes.set_settings(name_, {.muted = true, .pinned = {}, .draft = {}}); });
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_TRUE(standing("bob").row.muted);
  change("bob", [&](auto& changes) { changes.set_settings(name_, {.muted = {}, .pinned = true, .draft = "x"}); });
  change("bob", [&](auto& changes) { changes.delete_up_to(name_, 2); });
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_EQ(standing("bob").row.unread, 0);
  change("bob", [&](auto& changes) { changes.leave(name_); });
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_FALSE(standing("bob").member);
  EXPECT_EQ(standing("bob").row.conv, name_);
}

TEST_F(ActivityTest, WhoComesAndGoesIsToldAndCounted) {
  const auto members = [&] {
    return server_.number(uri_, "SELECT member_count FROM conversations WHERE name = '" + name_ + "'");
  };
  EXPECT_EQ(members(), 2);
  store_->add_member(name_, "carol", Role::kMember, "alice", kNow);
  EXPECT_EQ(heard(), std::set<std::string>{"carol"});
  EXPECT_EQ(members(), 3);
  store_->remove_member(name_, "bob", "alice", kNow);
  EXPECT_EQ(heard(), std::set<std::string>{"bob"});
  EXPECT_EQ(members(), 2);
  store_->load_conversation("dm:alice:bob", {});
  EXPECT_EQ(heard(), std::set<std::string>{"another"});
  EXPECT_EQ(server_.number(uri_, "SELECT member_count FROM conversations WHERE kind = 0"), 2);
}

// A message that expires is told with its commit; when it does, nobody tells: the standing says when to look again.
TEST_F(ActivityTest, AStandingSaysWhenItChangesByItself) {
  auto brief = message(conv_, 1, "alice", kNow);
  brief.ttl_s = 60;
  auto later = message(conv_, 2, "alice", kNow);
  later.ttl_s = 90;
  commit({.messages = {brief, later, message(conv_, 3, "alice", kNow)}});
  EXPECT_EQ(heard(), std::set<std::string>{"all"});
  EXPECT_EQ(standing("bob").changes_at, kNow + 60'000);
  EXPECT_EQ(standing("bob", kNow + 60'000).row.unread, 2);
  EXPECT_EQ(standing("bob", kNow + 60'000).changes_at, kNow + 90'000);
  EXPECT_EQ(standing("bob", kNow + 90'000).row.unread, 1);
  EXPECT_EQ(standing("bob", kNow + 90'000).changes_at, 0);
  EXPECT_EQ(standing("alice").changes_at, 0);
}

TEST_F(ActivityTest, MentionsAreCountedApart) {
  auto naming = message(conv_, 1, "alice", kNow);
  naming.mentions = {"bob"};
  commit({.messages = {naming, message(conv_, 2, "alice", kNow)}});
  EXPECT_EQ(standing("bob").row.mentions, 1);
  EXPECT_EQ(standing("bob").row.unread, 2);
}

TEST_F(ActivityTest, ABulkOfMembersByHandIsTold) {
  server_.run_sql(uri_, "INSERT INTO users SELECT repeat('m', 50) || n, 0 FROM generate_series(1, 1000) n");
  server_.run_sql(uri_, "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) SELECT " +
                            std::to_string(conv_.id) + ", name, 1, 1, 1 FROM users WHERE name LIKE 'mmm%'");
  std::set<std::string> who;
  while (who.size() < 1000) {
    const auto more = heard();
    ASSERT_FALSE(more.empty());
    who.insert(more.begin(), more.end());
  }
  EXPECT_EQ(server_.number(uri_, "SELECT member_count FROM conversations"), 1002);
}

TEST_F(ActivityTest, OneWhoIsNowhereHasNothing) {
  EXPECT_TRUE(unread_->of_user("nobody", kNow).empty());
  const MemberKey key{4711, "bob"};
  const auto none = unread_->of_members(std::span(&key, 1), kNow).at(0);
  EXPECT_FALSE(none.member);
  EXPECT_EQ(none.row.conv, "");
}

}  // namespace
}  // namespace chat::test
