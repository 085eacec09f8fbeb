// Who changes a conversation, its members or a device's settings is heard of; a commit is not.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

class Feed : public BothStores {
 protected:
  // The first wait answers kEverything: what is done after this is told one by one.
  void listen() {
    const auto first = store().wait(std::chrono::milliseconds(0));
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].kind, Change::Kind::kEverything);
  }
  // Changes up to the one that names `name`, as texts, without repeats.
  std::vector<std::string> changes_until(const std::string& name) {
    std::vector<std::string> seen;
    for (bool found = false; !found;) {
      const auto changes = store().wait(kPatience);
      if (changes.empty()) throw TimedOut("no word of " + name);
      for (const auto& change : changes) {
        const auto text =
            (change.kind == Change::Kind::kDevice ? "device " : "conversation ") + change.name + " " + change.device;
        if (std::find(seen.begin(), seen.end(), text) == seen.end()) seen.push_back(text);
        found = found || change.name == name;
      }
    }
    return seen;
  }
};
CHAT_ON_BOTH_STORES(Feed);

TEST_P(Feed, NothingChangedIsAnEmptyAnswer) {
  listen();
  EXPECT_TRUE(store().wait(std::chrono::milliseconds(10)).empty());
}

TEST_P(Feed, AGroupItsMembersAndADirectConversationAreTold) {
  listen();
  const auto conv = group({"alice", "bob"});
  EXPECT_EQ(changes_until(conv.name), std::vector{"conversation " + conv.name + " "});
  store().add_user("carol");
  store().add_member(conv.name, "carol", Role::kMember, "", now_);
  EXPECT_EQ(changes_until(conv.name), std::vector{"conversation " + conv.name + " "});
  store().add_member(conv.name, "carol", Role::kAdmin, "", now_);
  EXPECT_EQ(changes_until(conv.name), std::vector{"conversation " + conv.name + " "});
  store().remove_member(conv.name, "carol", "", now_);
  EXPECT_EQ(changes_until(conv.name), std::vector{"conversation " + conv.name + " "});
  store().load_conversation("dm:alice:bob", {});
  EXPECT_EQ(changes_until("dm:alice:bob"), std::vector<std::string>{"conversation dm:alice:bob "});
}

TEST_P(Feed, DeviceSettingsAreToldWhereTheyDiffer) {
  group({"alice", "bob"});
  listen();
  store().open_device("alice", "phone");
  store().set_device("alice", "phone", {.replay = Replay::kNewest, .replay_limit = {}, .ack = {}});
  EXPECT_EQ(changes_until("alice"), std::vector<std::string>{"device alice phone"});
  store().set_device("alice", "phone", {.replay = Replay::kNewest, .replay_limit = {}, .ack = {}});
  store().set_device("bob", "new", {.replay = {}, .replay_limit = {}, .ack = AckMode::kAuto});
  EXPECT_EQ(changes_until("bob"), std::vector<std::string>{"device bob new"});
}

TEST_P(Feed, CommitsAndOpeningsAreNotTold) {
  const auto conv = group({"alice", "bob"});
  const auto marker = group({"alice"});
  listen();
  store().open_device("bob", "phone");
  commit({.messages = {message(conv, 1, "alice", now_)}, .cursors = {{conv.id, "bob", "phone", 1, 1, 1, now_}}});
  store().load_user("carol", 10, true);
  store().add_member(conv.name, "bob", Role::kMember, "", now_);  // as he is already
  store().add_member(marker.name, "bob", Role::kMember, "", now_);
  EXPECT_EQ(changes_until(marker.name), std::vector{"conversation " + marker.name + " "});
}

TEST(FeedOfPostgres, ChangesByHandAreTold) {
  auto& server = PrivatePostgres::shared();
  const auto uri = server.migrated_database();
  const auto store = open_postgres(uri, "feed");
  store->add_user("alice");
  const auto name = store->create_group("", "alice", {}, 1);
  store->wait(std::chrono::milliseconds(0));
  for (const auto& sql : {std::string("UPDATE conversations SET title = 'by hand' WHERE name = '" + name + "'"),
                          std::string("UPDATE conversations SET announcement = true"),
                          std::string("UPDATE members SET role = 1"), std::string("DELETE FROM members")}) {
    server.run_sql(uri, sql);
    const auto changes = store->wait(kPatience);
    ASSERT_EQ(changes.size(), 1U) << sql;
    EXPECT_EQ(changes[0].name, name) << sql;
  }
  server.run_sql(uri, "NOTIFY chat_changed, 'hello'");
  EXPECT_EQ(store->wait(kPatience).at(0).kind, Change::Kind::kEverything);
  server.run_sql(uri,
                 "UPDATE conversations SET last_seq = 7, last_time = 8, last_rev = 9; UPDATE members SET read_seq = 1");
  EXPECT_TRUE(store->wait(std::chrono::milliseconds(50)).empty());
}

}  // namespace
}  // namespace chat::test
