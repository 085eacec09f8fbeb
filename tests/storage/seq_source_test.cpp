// Who gives numbers in a conversation, and what a loss of that journal does to them.
#include <gtest/gtest.h>

#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {
namespace {

constexpr Uuid kOne{0x11};
constexpr Uuid kOther{0x22};

class Source : public BothStores {
 protected:
  Seq last_seq(const std::string& conv, const SeqSource& source) {
    return store().load_conversation(conv, {.source = source})->last_seq;
  }
};
CHAT_ON_BOTH_STORES(Source);

TEST_P(Source, ALossOfTheSameJournalMovesTheNumbersOnOnceAndForGood) {
  const auto conv = group({"alice", "bob"});
  const auto name = conv.name;
  ASSERT_EQ(last_seq(name, {kOne, 0}), 0);
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  EXPECT_EQ(last_seq(name, {kOne, 0}), 2);
  const auto loaded = store().load_conversation(name, {.source = {kOne, 1}});
  EXPECT_EQ(loaded->last_seq, 2 + kSeqJump);
  EXPECT_EQ(loaded->members.size(), 2U);
  EXPECT_EQ(last_seq(name, {kOne, 1}), 2 + kSeqJump);
  EXPECT_EQ(store().find_conversation(name)->last_seq, 2 + kSeqJump);
  // Several losses since: numbers were given behind the first of them only.
  EXPECT_EQ(last_seq(name, {kOne, 4}), 2 + 2 * kSeqJump);
  // Fewer of them: the journal's folder is an older copy, and what it was copied from has given numbers since.
  EXPECT_EQ(last_seq(name, {kOne, 3}), 2 + 3 * kSeqJump);
}

TEST_P(Source, TheFirstJournalAndAnotherOneChangeNoNumber) {
  const auto conv = store().create_group("", (store().add_user("alice"), "alice"), {}, now_);
  EXPECT_EQ(last_seq(conv, {kOne, 7}), 0);
  commit({.messages = {message(*store().find_conversation(conv), 1, "alice", now_)}});
  EXPECT_EQ(last_seq(conv, {kOther, 2}), 1);
  EXPECT_EQ(last_seq(conv, {kOther, 3}), 1 + kSeqJump);
}

TEST_P(Source, OnlyLoadingMarks) {
  const auto conv = group({"alice", "bob"});
  ASSERT_EQ(last_seq(conv.name, {kOne, 0}), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store().find_conversation(conv.name)->last_seq, 0);
  EXPECT_EQ(last_seq(conv.name, {kOne, 1}), kSeqJump);
}

TEST_P(Source, ADirectConversationIsMarkedAsItIsMade) {
  store().add_user("alice");
  store().add_user("bob");
  EXPECT_EQ(last_seq("dm:alice:bob", {kOne, 2}), 0);
  EXPECT_EQ(last_seq("dm:alice:bob", {kOne, 2}), 0);
  EXPECT_EQ(last_seq("dm:alice:bob", {kOne, 3}), kSeqJump);
}

TEST_P(Source, BehindAJumpOnlyWhatLiesAboveItIsTaken) {
  const auto conv = group({"alice", "bob"});
  last_seq(conv.name, {kOne, 0});
  commit({.messages = {message(conv, 1, "alice", now_)}});
  last_seq(conv.name, {kOne, 1});
  EXPECT_THROW(commit({.messages = {message(conv, 2, "alice", now_)}}), StoreCorrupt);
}

TEST_P(Source, ADeviceIsOwedWhatLiesBeforeAndBehindAJumpAndToldOfIt) {
  const auto conv = group({"alice", "bob"});
  last_seq(conv.name, {kOne, 0});
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)}});
  EXPECT_EQ(store().open_device("bob", "phone").owed.at(0).jumped_to, 0);
  commit({.cursors = {{conv.id, "bob", "phone", 1, 0, 0, now_}}});
  const Seq jumped = last_seq(conv.name, {kOne, 1});
  commit({.messages = {message(conv, jumped + 1, "alice", now_)}});
  const auto owed = store().open_device("bob", "phone").owed.at(0);
  EXPECT_EQ(owed, (Owed{conv.id, conv.name, 1, jumped + 1, 1, 1, jumped}));
  const PageWant want{conv.id, owed.delivered};
  const auto page = store().messages_above({&want, 1}, 10, 1 << 20);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].seq, 2);
  EXPECT_EQ(page[1].seq, jumped + 1);
  commit({.cursors = {{conv.id, "bob", "phone", jumped + 1, 1, 0, now_}}});
  EXPECT_TRUE(store().open_device("bob", "phone").owed.empty());
}

TEST_P(Source, ItIsNobodysNews) {
  const auto conv = group({"alice", "bob"});
  const auto later = group({"alice", "bob"});
  store().add_user("carol");
  store().wait(std::chrono::milliseconds(0));  // its first word is that anything may have changed
  last_seq(conv.name, {kOne, 0});
  last_seq(conv.name, {kOne, 1});
  store().add_member(later.name, "carol", Role::kMember, "", now_);
  std::vector<Change> heard;
  while (heard.empty()) heard = store().wait(std::chrono::seconds(10));
  EXPECT_EQ(heard.front().name, later.name);  // changes are told in the order in which they happened
}

// A commit for each would hold up everybody's log-in behind a client that comes back to thousands.
TEST(SourceOnPostgres, SeveralAreMarkedInOneTransaction) {
  auto& server = PrivatePostgres::shared();
  const auto uri = server.migrated_database();
  const auto store = open_postgres(uri, "source");
  store->add_user("alice");
  std::vector<std::string> convs;
  for (int i = 0; i < 20; ++i) convs.push_back(store->create_group("", "alice", {}, 1));
  const auto transactions = [&] { return server.number(uri, "SELECT count(DISTINCT xmin::text) FROM conversations"); };
  EXPECT_EQ(transactions(), 20);
  store->load_conversations(convs, {.source = {kOne, 3}});
  EXPECT_EQ(transactions(), 1);
}

// Loading is frequent and a loss is rare: the row is not written where nothing changes.
TEST(SourceOnPostgres, LoadingAgainWritesNothing) {
  auto& server = PrivatePostgres::shared();
  const auto uri = server.migrated_database();
  const auto store = open_postgres(uri, "source");
  store->add_user("alice");
  const auto conv = store->create_group("", "alice", {}, 1);
  const auto version = [&] { return server.number(uri, "SELECT xmin::text::bigint FROM conversations"); };
  const auto made = version();
  store->load_conversation(conv, {.source = {kOne, 3}});
  const auto marked = version();
  EXPECT_NE(marked, made);
  for (int i = 0; i < 5; ++i) store->load_conversation(conv, {.source = {kOne, 3}});
  EXPECT_EQ(version(), marked);
}

}  // namespace
}  // namespace chat::test
