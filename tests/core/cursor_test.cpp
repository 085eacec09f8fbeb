// Acknowledgements: what becomes of delivered, read and chat/ack.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = PublishVerdict::Kind;

class Cursors : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    for (int i = 0; i < 5; ++i) send(alice_, conv_, "x");
    settle();
    forget();
  }
  std::vector<Member> members() { return store.find_conversation(conv_)->members; }

  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Cursors, DeliveredIsStoredForTheDeviceAndReadForTheUser) {
  ack(bob_, conv_, 3, 1);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_), (std::pair<Seq, Rev>{3, 1}));
  publish(bob_, "chat/c/" + conv_ + "/read", R"({"seq":4})");
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, 4);
  for (const auto& member : members()) EXPECT_EQ(member.read, member.user == "bob" ? 4 : 0);
}

TEST_F(Cursors, WhatIsKnownAlreadyIsNotJournaledAgain) {
  ack(bob_, conv_, 3);
  const auto kept = journal.records().size();
  EXPECT_NE(ack(bob_, conv_, 3).kind, Kind::kRefuse);
  EXPECT_NE(ack(bob_, conv_, 2).kind, Kind::kRefuse);
  EXPECT_EQ(journal.records().size(), kept);
}

TEST_F(Cursors, AboveTheLastSeqIsABadField) {
  EXPECT_EQ(ack(bob_, conv_, 6).kind, Kind::kRefuse);
  EXPECT_EQ(publish(bob_, "chat/c/" + conv_ + "/read", R"({"seq":6})").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>(2, "bad_field"));
  EXPECT_TRUE(journal.all<CursorRecord>().empty());
}

// Which event is the last one the store knows best: it clips what is above, and nothing that comes later is lost by it.
TEST_F(Cursors, ARevAboveTheLastEventIsClippedAndCostsNoLaterEvent) {
  EXPECT_NE(ack(bob_, conv_, 5, 99).kind, Kind::kRefuse);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_), (std::pair<Seq, Rev>{5, 1}));
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  settle();
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
  ack(bob_, conv_, 5, 2);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->second, 2);
}

// The sender was told that it was not kept, and sends it again.
TEST_F(Cursors, AnAcknowledgementThatTheJournalRefusedIsKeptWhenItComesAgain) {
  journal.answer_next(AppendResult::kFull);
  const auto refused = ack(bob_, conv_, 3);
  EXPECT_EQ(refused.kind, Kind::kRefuse);
  EXPECT_TRUE(refused.quota);
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"storage_full"});
  EXPECT_NE(ack(bob_, conv_, 3).kind, Kind::kRefuse);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, 3);
}

TEST_F(Cursors, AFullJournalDoesNotStallADeviceThatAcknowledges) {
  options.outflow.window = 2;
  restart();
  bob_ = online("bob", "b2");
  ASSERT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2}));
  journal.answer(AppendResult::kFull);
  ack(bob_, conv_, 2);
  settle();
  EXPECT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2, 3, 4}));
}

TEST_F(Cursors, AcknowledgedWhileTheTapOpensDoesNotComeAgain) {
  publish(bob_, "chat/sync", "{}");
  auto opening = take_answer();  // read before the acknowledgement
  ASSERT_TRUE(opening && std::holds_alternative<DeviceOpened>(*opening));
  ack(bob_, conv_, 3);
  forget();
  hub->notice(std::move(*opening));
  settle();
  EXPECT_EQ(seqs(bob_, conv_), (std::vector<Seq>{4, 5}));
}

TEST_F(Cursors, ADeviceMayAcknowledgeWhatItGotElsewhere) {
  const auto tablet = connect("bob", "b2");  // no tap at all
  EXPECT_NE(ack(tablet, conv_, 5).kind, Kind::kRefuse);
  settle();
  EXPECT_EQ(store.cursor("bob", "b2", conv_)->first, 5);
  subscribe(tablet, "chat/u/bob/#");
  settle();
}

TEST_F(Cursors, ManyAtOnceSomeOfThemNotInMemory) {
  const auto cold = group("alice", {"bob"});
  restart();
  bob_ = connect("bob", "b1");
  alice_ = connect("alice", "a1");
  send(alice_, cold, "1");
  send(alice_, conv_, "6");
  settle();
  restart();
  bob_ = connect("bob", "b1");
  forget();
  const json many{{"delivered", {{conv_, {{"seq", 6}, {"rev", 1}}}, {cold, {{"seq", 1}}}}}, {"read", {{conv_, 2}}}};
  EXPECT_NE(publish(bob_, "chat/ack", many.dump()).kind, Kind::kRefuse);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_), (std::pair<Seq, Rev>{6, 1}));
  EXPECT_EQ(store.cursor("bob", "b1", cold)->first, 1);
  for (const auto& member : members()) {
    if (member.user == "bob") {
      EXPECT_EQ(member.read, 2);
    }
  }
  EXPECT_TRUE(error_codes("bob").empty());
}

TEST_F(Cursors, OneBadEntryOfManyIsToldAndTheOthersCount) {
  const auto strange = group("alice", {"carol"});
  const json many{{"delivered", {{conv_, {{"seq", 4}}}, {strange, {{"seq", 0}}}, {"g:nowhere", {{"seq", 1}}}}}};
  publish(bob_, "chat/ack", many.dump());
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, 4);
  EXPECT_EQ(error_codes("bob").size(), 2U);
}

TEST_F(Cursors, AParkedAcknowledgementOfAnotherUsersDeviceOfThatNameTouchesNobodyElse) {
  restart();
  auto shared = connect("bob", "kiosk");
  ack(shared, conv_, 4);  // waits for the conversation
  disconnect(shared);
  const auto alices = connect("alice", "kiosk");
  subscribe(alices, "chat/u/alice/#");
  // The device opens and is served before the conversation is loaded.
  std::optional<Notice> conversation;
  persist();
  while (auto answer = take_answer()) {
    if (std::holds_alternative<ConversationLoaded>(*answer)) {
      conversation = std::move(answer);
    } else {
      hub->notice(std::move(*answer));
    }
  }
  ASSERT_TRUE(conversation);
  hub->notice(std::move(*conversation));
  settle();
  EXPECT_EQ(store.cursor("bob", "kiosk", conv_)->first, 4);
  send(alices, conv_, "6");
  settle();
  forget();
  publish(alices, "chat/sync", "{}");
  settle();
  EXPECT_EQ(seqs(alices, conv_), (std::vector<Seq>{1, 2, 3, 4, 5, 6}));  // she acknowledged none
}

TEST_F(Cursors, AParkedAcknowledgementMakesRoomInTheWindow) {
  options.outflow.window = 2;
  options.cache_bytes = 1;
  restart();
  const auto other = group("alice", {"bob"});
  bob_ = connect("bob", "b9");
  publish(bob_, "chat/sync", "{}");
  // While the tap opens, an acknowledgement has to wait for the conversation.
  std::vector<Notice> loads;
  ack(bob_, conv_, 2);
  persist();
  while (auto answer = take_answer()) {
    if (std::holds_alternative<ConversationLoaded>(*answer)) {
      loads.push_back(std::move(*answer));
    } else {
      hub->notice(std::move(*answer));
    }
  }
  ASSERT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2}));
  ASSERT_FALSE(loads.empty());
  for (auto& load : loads) hub->notice(std::move(load));
  settle();
  EXPECT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace chat::test
