// Devices that can't acknowledge: paced by time, and what was handed over is their cursor.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

class AutoAck : public HubRig {
 protected:
  void SetUp() override {
    options.outflow.ack = AckMode::kAuto;
    options.outflow.auto_rate = 100;
    restart();
    conv_ = group("alice", {"bob"});
    alice_ = connect("alice", "a1");
    send(alice_, conv_, "1");
    settle();
  }
  std::string conv_;
  Phone alice_;
};

TEST_F(AutoAck, HandedOverIsDelivered) {
  auto bob = online("bob", "lamp");
  ASSERT_EQ(seqs(bob, conv_), std::vector<Seq>{1});
  tick(200);
  settle();
  EXPECT_EQ(store.cursor("bob", "lamp", conv_)->first, 1);
  disconnect(bob);
  forget();
  bob = online("bob", "lamp");
  EXPECT_TRUE(received(bob).empty());
}

TEST_F(AutoAck, ADisconnectJournalsWhatWasHandedOver) {
  auto bob = online("bob", "lamp");
  send(alice_, conv_, "2");
  disconnect(bob);
  settle();
  EXPECT_EQ(store.cursor("bob", "lamp", conv_)->first, 2);
}

TEST_F(AutoAck, ManyAreOneRecordAFlush) {
  const auto bob = online("bob", "lamp");
  tick(200);
  settle();
  const auto before = journal.all<CursorRecord>().size();
  for (int i = 0; i < 50; ++i) send(alice_, conv_, "x");
  tick(200);
  EXPECT_EQ(journal.all<CursorRecord>().size(), before + 1);
  EXPECT_EQ(journal.all<CursorRecord>().back().cursor.delivered, 51);
}

TEST_F(AutoAck, BeyondTheBurstItIsPacedByTime) {
  for (int i = 2; i <= 1000; ++i) send(alice_, conv_, "x");
  settle();
  const auto bob = online("bob", "lamp");
  const auto burst = seqs(bob, conv_).size();
  EXPECT_LE(burst, 500U);
  EXPECT_GE(burst, 490U);  // events take tokens too
  tick(1000);
  settle();
  EXPECT_EQ(seqs(bob, conv_).size(), burst + 100);
  for (int i = 0; i < 100 && seqs(bob, conv_).size() < 1000; ++i) {
    tick(1000);
    settle();
  }
  const auto all = seqs(bob, conv_);
  ASSERT_EQ(all.size(), 1000U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<Seq>(i + 1));
}

TEST_F(AutoAck, AMessageHandedOverSaysNothingAboutEvents) {
  const auto lamp = connect("bob", "lamp");
  subscribe(lamp, "chat/u/bob/inbox");
  settle();
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  settle();
  send(alice_, conv_, "2");
  tick(200);
  settle();
  EXPECT_EQ(store.cursor("bob", "lamp", conv_)->first, 2);
  forget();
  subscribe(lamp, "chat/u/bob/event");
  settle();
  EXPECT_EQ(revs(lamp, conv_), std::vector<Rev>{2});
}

TEST_F(AutoAck, AnEventHandedOverSaysNothingAboutMessages) {
  const auto lamp = connect("bob", "lamp");
  subscribe(lamp, "chat/u/bob/event");
  settle();
  send(alice_, conv_, "2");
  settle();
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  settle();
  tick(200);
  settle();
  ASSERT_FALSE(revs(lamp, conv_).empty());
  forget();
  subscribe(lamp, "chat/u/bob/inbox");
  settle();
  EXPECT_EQ(seqs(lamp, conv_), (std::vector<Seq>{1, 2}));
}

TEST_F(AutoAck, AFullJournalCostsNothingButARepetition) {
  auto bob = online("bob", "lamp");
  journal.answer(AppendResult::kFull);
  tick(200);
  journal.answer(AppendResult::kOk);
  disconnect(bob);
  forget();
  bob = online("bob", "lamp");
  EXPECT_EQ(seqs(bob, conv_), std::vector<Seq>{1});
}

}  // namespace
}  // namespace chat::test
