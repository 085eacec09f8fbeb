// What a commit promises: all or nothing, once, cursors that only rise and stay within what their owner may see.
#include <gtest/gtest.h>

#include "tests/storage/both_stores.h"

namespace chat::test {
namespace {

class Commit : public BothStores {};
CHAT_ON_BOTH_STORES(Commit);

Batch batch(Position from, Position to) {
  Batch batch;
  batch.journal = kJournal;
  batch.from = from;
  batch.to = to;
  return batch;
}

TEST_P(Commit, MessagesComeBackAsTheyWere) {
  const auto conv = group({"alice", "bob"});
  auto sent = message(conv, 1, "alice", now_, "m-1");
  sent.type = MessageType::kImage;
  sent.reply_to = 7;
  sent.ttl_s = 3600;
  sent.mentions = {"bob", "null", R"(quo"te\and,comma})", ""};
  sent.payload = "{\"body\":\"tab\t newline\n backslash\\ \\u0000 \\N 聊天 😀 'quote' \\. {}\"}";
  auto plain = message(conv, 2, "bob", now_);
  commit({.messages = {sent, plain}});
  const PageWant want{conv.id, 0};
  EXPECT_EQ(store().messages_above({&want, 1}, 10, 1 << 20), (std::vector{sent, plain}));
}

TEST_P(Commit, MovesTheConversationAndTheCheckpoint) {
  const auto conv = group({"alice", "bob"});
  EXPECT_EQ(store().checkpoint(kJournal), std::nullopt);
  auto one = batch(64, 500);
  one.messages = {message(conv, 1, "alice", now_ + 5), message(conv, 2, "bob", now_ + 9)};
  EXPECT_EQ(store().commit(one), CommitResult::kApplied);
  EXPECT_EQ(store().checkpoint(kJournal), 500U);
  EXPECT_EQ(load(conv.name).last_seq, 2);
  EXPECT_EQ(load(conv.name).last_time, now_ + 9);
}

TEST_P(Commit, TheSameBatchTwiceChangesNothing) {
  const auto conv = group({"alice", "bob"});
  auto one = batch(0, 500);
  one.messages = {message(conv, 1, "alice", now_, "m-1"), message(conv, 2, "alice", now_, "m-2")};
  one.cursors = {{conv.id, "bob", "phone", 2, 1, 1, now_}};
  one.commands = {{100, conv.id, "recall", "alice", "phone", now_, R"({"seq":1})"}};
  ASSERT_EQ(store().commit(one), CommitResult::kApplied);
  const auto after = load(conv.name);
  const auto waiting = store().status().commands_waiting;
  EXPECT_EQ(store().commit(one), CommitResult::kAlreadyApplied);
  EXPECT_EQ(load(conv.name), after);
  EXPECT_EQ(store().status().commands_waiting, waiting);
  EXPECT_EQ(waiting, 1);
  const PageWant want{conv.id, 0};
  EXPECT_EQ(store().messages_above({&want, 1}, 10, 1 << 20).size(), 2U);
}

TEST_P(Commit, ABatchBehindTheCheckpointIsAlreadyApplied) {
  ASSERT_EQ(store().commit(batch(0, 500)), CommitResult::kApplied);
  EXPECT_EQ(store().commit(batch(0, 300)), CommitResult::kAlreadyApplied);
  EXPECT_EQ(store().commit(batch(500, 500)), CommitResult::kAlreadyApplied);
  EXPECT_EQ(store().checkpoint(kJournal), 500U);
}

TEST_P(Commit, AGapBetweenCheckpointAndBatchIsCorrupt) {
  ASSERT_EQ(store().commit(batch(0, 500)), CommitResult::kApplied);
  EXPECT_THROW(store().commit(batch(600, 700)), StoreCorrupt);
  EXPECT_THROW(store().commit(batch(400, 700)), StoreCorrupt);
  EXPECT_THROW(store().commit(batch(500, 400)), StoreCorrupt);
  EXPECT_EQ(store().checkpoint(kJournal), 500U);
}

TEST_P(Commit, JournalsKeepCheckpointsOfTheirOwn) {
  ASSERT_EQ(store().commit(batch(0, 500)), CommitResult::kApplied);
  auto other = batch(9000, 9100);
  other.journal = {0xcc};
  EXPECT_EQ(store().commit(other), CommitResult::kApplied);
  EXPECT_EQ(store().checkpoint(kJournal), 500U);
  EXPECT_EQ(store().checkpoint(other.journal), 9100U);
}

TEST_P(Commit, ASeqThatDoesNotRiseIsCorruptAndLeavesNothing) {
  const auto conv = group({"alice", "bob"});
  const auto other = load(store().load_conversation("dm:alice:bob", {})->name);
  auto one = batch(0, 500);
  one.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_)};
  ASSERT_EQ(store().commit(one), CommitResult::kApplied);
  for (const Seq seq : {1, 2}) {
    auto two = batch(500, 900);
    two.messages = {message(other, 1, "bob", now_), message(conv, seq, "alice", now_ + 1)};
    EXPECT_THROW(store().commit(two), StoreCorrupt) << seq;
  }
  auto falling = batch(500, 900);
  falling.messages = {message(conv, 4, "alice", now_), message(conv, 3, "alice", now_)};
  EXPECT_THROW(store().commit(falling), StoreCorrupt);
  EXPECT_EQ(store().checkpoint(kJournal), 500U);
  EXPECT_EQ(load(other.name).last_seq, 0);
  EXPECT_EQ(load(conv.name).last_seq, 2);
}

TEST_P(Commit, AConversationThatIsNotThereIsCorruptAndNamed) {
  const auto conv = group({"alice"});
  auto one = batch(0, 500);
  one.messages = {message(conv, 1, "alice", now_)};
  one.messages.push_back(message(conv, 1, "alice", now_));
  one.messages.back().conv_id = 4711;
  try {
    store().commit(one);
    FAIL() << "was committed";
  } catch (const StoreCorrupt& corrupt) {
    EXPECT_NE(std::string(corrupt.what()).find("4711"), std::string::npos) << corrupt.what();
  }
  EXPECT_EQ(load(conv.name).last_seq, 0);
  EXPECT_EQ(store().checkpoint(kJournal), std::nullopt);
}

TEST_P(Commit, MonthsMeetWithoutLoss) {
  const auto conv = group({"alice"});
  constexpr TimeMs kJuly = 1'751'328'000'000;     // 2025-07-01T00:00:00Z
  constexpr TimeMs kNewYear = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
  const std::vector messages{message(conv, 1, "alice", kJuly - 1, "a"), message(conv, 2, "alice", kJuly, "b"),
                             message(conv, 3, "alice", kNewYear - 1, "c"), message(conv, 4, "alice", kNewYear, "d")};
  commit({.messages = messages});
  const PageWant want{conv.id, 0};
  EXPECT_EQ(store().messages_above({&want, 1}, 10, 1 << 20), messages);
  const auto recent = store().load_user("alice", 3, false)->recent;
  ASSERT_EQ(recent.size(), 3U);
  EXPECT_EQ(recent.front().id, "b");
  EXPECT_EQ(recent.back().id, "d");
}

TEST_P(Commit, ReadImpliesDeliveredAndBothOnlyRise) {
  const auto conv = group({"alice", "bob"});
  store().open_device("bob", "phone");
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "alice", now_),
                       message(conv, 3, "alice", now_)}});
  commit({.cursors = {{conv.id, "bob", "phone", 0, 0, 2, now_}}});
  EXPECT_EQ(member(conv.name, "bob").read, 2);
  EXPECT_EQ(store().open_device("bob", "phone").owed.at(0).delivered, 2);
  commit({.cursors = {{conv.id, "bob", "phone", 1, 0, 1, now_}}});
  EXPECT_EQ(member(conv.name, "bob").read, 2);
  EXPECT_EQ(store().open_device("bob", "phone").owed.at(0).delivered, 2);
  EXPECT_EQ(member(conv.name, "alice").read, 0);
}

TEST_P(Commit, ManyAcknowledgementsOfOneBatchComeToTheHighest) {
  const auto conv = group({"alice", "bob"});
  store().open_device("bob", "phone");
  Batch one;
  for (Seq seq = 1; seq <= 5; ++seq) one.messages.push_back(message(conv, seq, "alice", now_));
  for (const Seq seq : {2, 4, 1, 3}) one.cursors.push_back({conv.id, "bob", "phone", seq, 0, seq - 1, now_});
  commit(one);
  EXPECT_EQ(member(conv.name, "bob").read, 3);
  EXPECT_EQ(store().open_device("bob", "phone").owed.at(0).delivered, 4);
}

TEST_P(Commit, CursorsAboveTheEndAreClipped) {
  const auto conv = group({"alice", "bob"});
  store().open_device("bob", "phone");
  commit({.messages = {message(conv, 1, "alice", now_)}, .cursors = {{conv.id, "bob", "phone", 999, 999, 999, now_}}});
  EXPECT_EQ(member(conv.name, "bob").read, 1);
  EXPECT_TRUE(store().open_device("bob", "phone").owed.empty());
  commit({.messages = {message(conv, 2, "alice", now_)}});
  const auto owed = store().open_device("bob", "phone").owed;
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].delivered, 1);
  EXPECT_EQ(owed[0].rev, 1);
}

TEST_P(Commit, CursorsOfStrangersAreLeftOut) {
  const auto conv = group({"alice", "bob"});
  store().add_user("mallory");
  commit({.messages = {message(conv, 1, "alice", now_)},
          .cursors = {{conv.id, "mallory", "phone", 1, 1, 1, now_},
                      {conv.id, "nobody", "phone", 1, 1, 1, now_},
                      {conv.id, "bob", "", 1, 1, 1, now_},
                      {conv.id, "bob", std::string(5000, 'x'), 1, 1, 1, now_},
                      {4711, "bob", "phone", 1, 1, 1, now_}}});
  EXPECT_EQ(member(conv.name, "bob").read, 0);
  EXPECT_TRUE(store().open_device("mallory", "phone").owed.empty());
  store().add_member(conv.name, "mallory", Role::kMember, "alice", now_);
  EXPECT_EQ(member(conv.name, "mallory").read, 0);
  const auto owed = store().open_device("mallory", "phone").owed;
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].delivered, 1);  // joined behind the first message
  EXPECT_EQ(owed[0].rev, 1);        // is owed the event of joining itself
  EXPECT_EQ(owed[0].last_rev, 2);
}

TEST_P(Commit, AJournalEndsWhereNoRecordWasOfInterest) {
  EXPECT_EQ(store().commit(batch(0, 4096)), CommitResult::kApplied);
  EXPECT_EQ(store().commit(batch(4096, 8192)), CommitResult::kApplied);
  EXPECT_EQ(store().checkpoint(kJournal), 8192U);
}

}  // namespace
}  // namespace chat::test
