// Guarantee 2: a seq once seen is never given again, even after a power cut that took the message with it.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class PowerCut : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    come_back();
    bob_ = online("bob", "b1");
    send(alice_, conv_, "1");
    settle();
    ack(bob_, conv_, 1, 1);
    settle();
  }
  // Alice sends `count` messages that bob sees and that the power cut takes away.
  void lose(int count) {
    journal.sync_now();
    for (int i = 0; i < count; ++i) ASSERT_NE(send(alice_, conv_, "lost").kind, Kind::kRefuse);
    journal.lose_power();
    restart();
    come_back();
  }
  void come_back() { alice_ = connect("alice", "a1"); }

  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(PowerCut, ANumberThatADeviceSawIsNotGivenAgain) {
  lose(3);
  EXPECT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2, 3, 4}));
  forget();
  bob_ = online("bob", "b1");
  send(alice_, conv_, "new");
  settle();
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{1 + kSeqJump + 1});
  // Once: the next ones follow, and the next start changes nothing.
  send(alice_, conv_, "newer");
  settle();
  restart();
  come_back();
  send(alice_, conv_, "newest");
  settle();
  EXPECT_EQ(store.find_conversation(conv_)->last_seq, 1 + kSeqJump + 3);
}

TEST_F(PowerCut, WhatSurvivedIsStoredBeforeTheNumbersMoveOn) {
  send(alice_, conv_, "2");
  send(alice_, conv_, "3");  // in the journal, synced below, not in the store
  lose(2);
  send(alice_, conv_, "new");
  settle();
  std::vector<Seq> stored;
  for (const auto& message : store.messages(conv_)) stored.push_back(message.seq);
  EXPECT_EQ(stored, (std::vector<Seq>{1, 2, 3, 3 + kSeqJump + 1}));
}

TEST_F(PowerCut, ADeviceBelowTheHoleGetsWhatLiesBeforeAndBehindItInOrder) {
  const Seq high = 2 + kSeqJump;
  send(alice_, conv_, "2");
  settle();
  forget();
  lose(2);
  // Caught up: it never acknowledged the second one.
  send(alice_, conv_, "behind the hole");
  settle();
  forget();
  auto late = online("bob", "b1");
  EXPECT_EQ(seqs(late, conv_), (std::vector<Seq>{2, high + 1}));
  ASSERT_EQ(syncs(late).size(), 2U);
  EXPECT_EQ(syncs(late)[0], (nlohmann::json{{"state", "begin"}, {"messages", 2}, {"conversations", 1}}));
  // Live from then on, and its acknowledgement counts.
  send(alice_, conv_, "live");
  EXPECT_EQ(seqs(late, conv_), (std::vector<Seq>{2, high + 1, high + 2}));
  EXPECT_EQ(ack(late, conv_, high + 2).kind, Kind::kUntouched);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, high + 2);
  disconnect(late);
  forget();
  late = online("bob", "b1");
  EXPECT_TRUE(seqs(late, conv_).empty());
  EXPECT_EQ(syncs(late)[0].at("messages"), 0);
}

TEST_F(PowerCut, ADeviceThatIsHereBeforeTheConversationMovesOnGetsItLive) {
  send(alice_, conv_, "2");
  settle();
  lose(2);
  forget();
  const auto behind = online("bob", "b1");  // it has not acknowledged the second
  const auto level = online("alice", "a2");
  ack(level, conv_, 2, 1);
  settle();
  EXPECT_EQ(seqs(behind, conv_), std::vector<Seq>{2});
  send(alice_, conv_, "a");
  settle();
  send(alice_, conv_, "b");
  settle();
  const Seq high = 2 + kSeqJump;
  EXPECT_EQ(seqs(behind, conv_), (std::vector<Seq>{2, high + 1, high + 2}));
  EXPECT_EQ(seqs(level, conv_), (std::vector<Seq>{1, 2, high + 1, high + 2}));
  EXPECT_EQ(ack(behind, conv_, high + 2).kind, Kind::kUntouched);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, high + 2);
}

TEST_F(PowerCut, AnAcknowledgementOfALostMessageIsTaken) {
  lose(3);
  bob_ = connect("bob", "b1");
  ack(bob_, conv_, 4);
  settle();
  EXPECT_TRUE(error_codes("bob").empty());
  forget();
  subscribe(bob_, "chat/u/bob/#");
  send(alice_, conv_, "new");
  settle();
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{1 + kSeqJump + 1});
}

TEST_F(PowerCut, TheNewestAreCountedAcrossTheHole) {
  for (int i = 0; i < 5; ++i) send(alice_, conv_, "x");
  settle();
  lose(1);  // 1 to 6 are there
  send(alice_, conv_, "new");
  settle();
  const Seq high = 6 + kSeqJump;
  store.set_device("bob", "b1", {.replay = Replay::kNewest, .replay_limit = 3, .ack = std::nullopt});
  forget();
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{5, 6, high + 1}));
  ASSERT_EQ(syncs(bob).size(), 3U);
  EXPECT_EQ(syncs(bob)[0].at("messages"), 3);
  EXPECT_EQ(syncs(bob)[1], (nlohmann::json{{"state", "limited"}, {"conv", conv_}, {"from", 2}, {"to", 4}}));
}

TEST_F(PowerCut, NoMoreNumbersAreAtRiskThanTheBoundAndItGoesOnByItself) {
  options.seqs_at_risk_max = 4;
  restart();
  come_back();
  send(alice_, conv_, "2");  // loads the conversation
  settle();
  Seq last = 2;
  const auto fill = [&] {
    for (int i = 0; i < 4; ++i) ASSERT_NE(send(alice_, conv_, "fits").kind, Kind::kRefuse) << i;
    last += 4;
    const auto kept = journal.records().size();
    forget();
    for (int i = 0; i < 3; ++i) ASSERT_EQ(send(alice_, conv_, "too many").kind, Kind::kRefuse);
    EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"unavailable", "unavailable", "unavailable"}));
    EXPECT_NE(told("alice", "error")[0].at("reason").get<std::string>().find(conv_), std::string::npos);
    EXPECT_EQ(journal.records().size(), kept);
  };
  fill();
  journal.sync_now();  // the medium has them
  fill();
  persist();  // PostgreSQL has them
  fill();
  settle();
  EXPECT_EQ(store.find_conversation(conv_)->last_seq, last);  // what was refused took no number
}

// The mark stands still until the medium has reached it: with a sync under way at all times it has to move all the
// same.
TEST_F(PowerCut, ASteadyStreamIsNeverRefusedWhileTheMediumFollows) {
  options.seqs_at_risk_max = 20;
  restart();
  come_back();
  send(alice_, conv_, "2");
  settle();
  for (int i = 0; i < 300; ++i) {
    ASSERT_NE(send(alice_, conv_, "x").kind, Kind::kRefuse) << i;
    if (i % 5 == 0) journal.sync_now();
    ASSERT_NE(send(alice_, conv_, "never synced when the next one comes").kind, Kind::kRefuse) << i;
  }
}

TEST_F(PowerCut, AParkedPublishThatMeetsTheBoundWaits) {
  options.seqs_at_risk_max = 1;
  restart();
  come_back();
  for (int i = 0; i < 3; ++i) send(alice_, conv_, "parked");
  settle();
  for (int i = 0; i < 10; ++i) {
    tick(1000);
    settle();
  }
  EXPECT_EQ(store.messages(conv_).size(), 4U);
  EXPECT_TRUE(error_codes("alice").empty());
}

}  // namespace
}  // namespace chat::test
