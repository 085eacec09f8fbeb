// Publishes whose conversation or sender is not in memory: they wait, in order, and are lost to nothing.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class WaitingPublish : public HubRig {
 protected:
  void SetUp() override { conv_ = group("alice", {"bob"}); }
  std::vector<std::string> bodies(const std::string& conv) const {
    std::vector<std::string> all;
    for (const auto& message : store.messages(conv)) all.push_back(nlohmann::json::parse(message.payload).at("body"));
    return all;
  }
  // Its load, which is left to the test.
  std::vector<Notice> answer_all_but_the_conversation() {
    persist();
    std::vector<Notice> late;
    while (auto answer = take_answer()) {
      const auto* loaded = std::get_if<ConversationLoaded>(&*answer);
      if (loaded != nullptr && loaded->name == conv_) {
        late.push_back(std::move(*answer));
      } else {
        hub->notice(std::move(*answer));
      }
    }
    return late;
  }
  std::string conv_;
};

TEST_F(WaitingPublish, ItIsJournaledAcknowledgedAndGoesOnInOrder) {
  const auto alice = connect("alice", "a1");
  for (const auto* text : {"1", "2", "3"}) {
    const auto verdict = send(alice, conv_, text);
    EXPECT_EQ(verdict.kind, Kind::kReplace);
    EXPECT_FALSE(verdict.payload);
  }
  EXPECT_EQ(journal.all<ParkedRecord>().size(), 3U);
  settle();
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
}

// The message waits for its sender's ids and for the conversation, whichever comes first; the edit behind it must not
// be judged before the message is there.
TEST_F(WaitingPublish, ACommandNeverOvertakesTheMessageThatItIsAbout) {
  for (const bool conversation_first : {true, false}) {
    restart();
    const auto conv = group("alice", {"bob"});
    const auto alice = connect("alice", "a1");
    send(alice, conv, "1");
    publish(alice, "chat/c/" + conv + "/edit", R"({"seq":1,"body":"2"})");
    persist();
    std::deque<Notice> loads;
    while (auto answer = take_answer()) {
      const bool first = std::holds_alternative<ConversationLoaded>(*answer) == conversation_first;
      loads.insert(first ? loads.begin() : loads.end(), std::move(*answer));
    }
    ASSERT_EQ(loads.size(), 2U);
    for (auto& answer : loads) hub->notice(std::move(answer));
    settle();
    EXPECT_EQ(error_codes("alice"), std::vector<std::string>{});
    EXPECT_EQ(store.messages(conv).size(), 1U);
  }
  EXPECT_EQ(store.commands().size(), 2U);
}

TEST_F(WaitingPublish, WhatIsResumedReachesSubscribersOfTheConversationsTopic) {
  const auto bob = connect("bob", "b1");
  ASSERT_TRUE(subscribe(bob, "chat/c/" + conv_ + "/msg"));
  const auto alice = connect("alice", "a1");
  send(alice, conv_, "1");
  settle();
  bool seen = false;
  for (const auto& published : broker.published) {
    if (published.device.empty() && published.topic == "chat/c/" + conv_ + "/msg") {
      seen = true;
      EXPECT_EQ(hub->may_read(bob.ref(), published.topic, published.payload), Access::kGranted);
    }
  }
  EXPECT_TRUE(seen);
}

TEST_F(WaitingPublish, ItHoldsTheJournalUntilItIsResolved) {
  const auto alice = connect("alice", "a1");
  const auto start = journal.end();
  send(alice, conv_, "1");
  EXPECT_EQ(hub->parked_floor(), start);
  persist();
  EXPECT_EQ(hub->parked_floor(), start);
  settle();
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
  EXPECT_EQ(journal.all<MessageRecord>().at(0).resolves, start);
}

TEST_F(WaitingPublish, RefusedBehindTheLoadingIsToldOnTheErrorTopic) {
  const auto dave = connect("dave", "d1");
  send(dave, conv_, "not mine");
  send(dave, "g:nowhere", "nor there");
  settle();
  EXPECT_EQ(error_codes("dave"), (std::vector<std::string>{"not_member", "not_found"}));
  EXPECT_EQ(told("dave", "error")[0].at("topic"), "chat/c/" + conv_ + "/msg");
  EXPECT_EQ(journal.all<ResolvedRecord>().size(), 2U);
  EXPECT_TRUE(store.messages(conv_).empty());
  restart();
  forget();
  settle();
  EXPECT_TRUE(error_codes("dave").empty());  // not once more
}

TEST_F(WaitingPublish, AFullJournalRefusesWhatCannotEvenWait) {
  const auto alice = connect("alice", "a1");
  journal.answer(AppendResult::kFull);
  EXPECT_EQ(send(alice, conv_, "1").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"storage_full"});
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
}

TEST_F(WaitingPublish, AFullJournalWhileResumingKeepsItInItsPlace) {
  const auto alice = connect("alice", "a1");
  send(alice, conv_, "1");
  send(alice, conv_, "2");
  persist();
  journal.answer_next(AppendResult::kFull);  // hits the first; the second would find room
  while (answer_one()) {
  }
  send(alice, conv_, "3");
  settle();
  tick(100);
  settle();
  EXPECT_TRUE(error_codes("alice").empty());
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(WaitingPublish, NothingOvertakesWhatIsStuckWhileTheJournalStaysFull) {
  const auto alice = connect("alice", "a1");
  send(alice, conv_, "1");
  persist();
  journal.answer(AppendResult::kFull);
  while (answer_one()) {
  }
  EXPECT_EQ(send(alice, conv_, "2").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"storage_full"});
  journal.answer(AppendResult::kOk);
  send(alice, conv_, "3");
  settle();
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "3"}));
}

TEST_F(WaitingPublish, ItSurvivesARestartAndComesBeforeWhatIsNew) {
  auto alice = connect("alice", "a1");
  send(alice, conv_, "1");
  send(alice, conv_, "2");
  restart();
  alice = connect("alice", "a1");
  send(alice, conv_, "3");
  settle();
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "2", "3"}));
  restart();
  settle();
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(WaitingPublish, ARestartBetweenItsRecordAndItsCommitRepeatsNothing) {
  const auto alice = connect("alice", "a1");
  send(alice, conv_, "1");
  persist();
  while (answer_one()) {
  }
  ASSERT_EQ(journal.all<MessageRecord>().size(), 1U);
  restart();
  settle();
  EXPECT_EQ(bodies(conv_), std::vector<std::string>{"1"});
}

// The one waits for its conversation only, the other for both; the sender was forgotten in between.
// Its end is in the journal twice, so that one record that can't be read any more brings nothing back; but a power cut
// must not leave the second alone.
TEST_F(WaitingPublish, WhatTheStoreHasDoesNotComeBackWhereItsRecordIsDamaged) {
  const auto alice = connect("alice", "a1");
  const auto start = journal.end();
  send(alice, conv_, "1");
  persist();
  while (answer_one()) {
  }
  ASSERT_EQ(journal.all<MessageRecord>().size(), 1U);
  EXPECT_TRUE(journal.all<ResolvedRecord>().empty());
  settle();
  EXPECT_EQ(journal.all<ResolvedRecord>(), std::vector{ResolvedRecord{.resolves = start}});
  journal.damage<MessageRecord>();
  restart();
  settle();
  EXPECT_EQ(bodies(conv_), std::vector<std::string>{"1"});
}

TEST_F(WaitingPublish, OrderIsKeptHoweverTheLoadsComeIn) {
  options.cache_bytes = 1;
  restart();
  const auto alice = connect("alice", "a1");
  const auto bob = connect("bob", "b1");
  const auto hot = group("alice", {"bob"});
  for (int i = 0; i < 2; ++i) {  // the second time behind all that was loaded for being new
    send(alice, hot, "load alice");
    settle();
  }
  send(alice, conv_, "1");  // alice is in memory, the conversation is not
  send(bob, hot, "load bob, forget alice");
  auto late = answer_all_but_the_conversation();
  send(alice, conv_, "2");
  ASSERT_EQ(late.size(), 1U);
  hub->notice(std::move(late[0]));
  settle();
  EXPECT_EQ(bodies(conv_), (std::vector<std::string>{"1", "2"}));
}

// Behind a crash thousands may wait. What a sender has waiting for one conversation must not push out of its latest ids
// what it sends again to another.
TEST_F(WaitingPublish, ARetryIsKnownHoweverMuchOfItsSenderGoesOnBeforeIt) {
  const auto other = group("alice", {"bob"});
  const std::string retried = R"({"id":"retried","body":"once"})";
  auto alice = connect("alice", "a1");
  publish(alice, "chat/c/" + conv_ + "/msg", retried);
  settle();
  restart();
  alice = connect("alice", "a1");
  publish(alice, "chat/c/" + conv_ + "/msg", retried);
  for (int i = 0; i < 300; ++i) {
    publish(alice, "chat/c/" + other + "/msg", R"({"id":"other-)" + std::to_string(i) + R"(","body":"x"})");
  }
  auto late = answer_all_but_the_conversation();
  ASSERT_EQ(late.size(), 1U);
  hub->notice(std::move(late[0]));
  settle();
  EXPECT_EQ(store.messages(other).size(), 300U);
  EXPECT_EQ(bodies(conv_), std::vector<std::string>{"once"});
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
}

// Two publishes that need two loads each, in a memory that holds one of each: they must not push each other out for
// ever.
TEST_F(WaitingPublish, ItComesToAnEndHoweverSmallTheMemory) {
  options.cache_bytes = 1;
  restart();
  const std::vector<std::string> senders{"alice", "bob", "carol"};
  std::vector<std::string> convs;
  for (const auto& sender : senders) convs.push_back(group(sender, senders));
  for (std::size_t turn = 0; turn < 9; ++turn) {
    const auto phone = connect(senders[turn % 3], "phone" + std::to_string(turn));
    // Sender and conversation are asked for apart from each other, so that others come in between.
    publish(phone, "chat/c/" + convs[turn / 3] + "/msg", R"({"body":1})");
    persist();
    if (turn % 2 == 0) answer_one();
  }
  for (int i = 0; i < 1000 && hub->parked_floor() != Parking::kNothingParked; ++i) {
    persist();
    answer_one();
  }
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked) << "they take turns for ever";
  persist();
  for (const auto& conv : convs) EXPECT_EQ(store.messages(conv).size(), 3U);
}

TEST_F(WaitingPublish, TypingIsNotWorthWaitingFor) {
  const auto alice = connect("alice", "a1");
  publish(alice, "chat/c/" + conv_ + "/typing", R"({"on":true})", 0);
  EXPECT_TRUE(journal.records().empty());
  EXPECT_FALSE(requests.waiting.empty());
}

TEST_F(WaitingPublish, ABadMessageIsRefusedAtOnceAndDoesNotWait) {
  const auto alice = connect("alice", "a1");
  EXPECT_EQ(publish(alice, "chat/c/" + conv_ + "/msg", "no JSON").kind, Kind::kRefuse);
  EXPECT_EQ(publish(alice, "chat/c/" + conv_ + "/recall", R"({"seq":0})").kind, Kind::kRefuse);
  EXPECT_TRUE(journal.records().empty());
}

TEST_F(WaitingPublish, OneLoadServesAllWhoWait) {
  const auto alice = connect("alice", "a1");
  for (int i = 0; i < 10; ++i) send(alice, conv_, "x");
  int loads = 0;
  for (const auto& request : requests.waiting) loads += std::holds_alternative<LoadConversation>(request.body) ? 1 : 0;
  EXPECT_EQ(loads, 1);
}

TEST_F(WaitingPublish, TooMuchIsRefusedAndWhatWaitsAlreadyStays) {
  const auto alice = connect("alice", "a1");
  for (std::size_t i = 0; i < Parking::kCountMax; ++i) {
    ASSERT_EQ(publish(alice, "chat/c/" + conv_ + "/msg", R"({"body":1})").kind, Kind::kReplace);
  }
  EXPECT_EQ(publish(alice, "chat/c/" + conv_ + "/msg", R"({"body":1})").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"unavailable"});
  settle();
  EXPECT_EQ(store.messages(conv_).size(), Parking::kCountMax);
}

}  // namespace
}  // namespace chat::test
