// Guarantee 3: the same sender and id again gets the same seq and reaches nobody twice.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class Once : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    send(alice_, conv_, "load");
    settle();
    forget();
  }
  PublishVerdict say(const std::string& payload, int qos = 1) {
    return publish(alice_, "chat/c/" + conv_ + "/msg", payload, qos);
  }

  static constexpr const char* kHello = R"({"id":"m1","body":"hello"})";
  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Once, RetryReachesNobodyTwiceAndIsTakenAsGood) {
  say(kHello);
  const auto again = say(kHello);
  EXPECT_EQ(again.kind, Kind::kReplace);
  EXPECT_FALSE(again.payload);  // routed to nobody
  settle();
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{2});
  EXPECT_EQ(store.messages(conv_).size(), 2U);
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Once, RetryAfterTheCommitIsAcknowledgedAgainAndBeforeItIsNot) {
  say(kHello);
  say(kHello);
  EXPECT_TRUE(told("alice", "ack").empty());
  persist();
  EXPECT_EQ(told("alice", "ack").size(), 1U);
  say(kHello);
  ASSERT_EQ(told("alice", "ack").size(), 2U);
  EXPECT_EQ(told("alice", "ack")[0], told("alice", "ack")[1]);
}

TEST_F(Once, RetryAfterARestartIsRecognisedCommittedOrNot) {
  say(kHello);
  persist();
  say(R"({"id":"m2","body":"not committed"})");
  restart();
  alice_ = connect("alice", "a1");
  say(R"({"id":"m2","body":"not committed"})");
  say(kHello);
  settle();
  EXPECT_EQ(store.messages(conv_).size(), 3U);
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Once, RetryAfterARestartIsRecognisedThoughTheClockWasSetBackInFrontOfIt) {
  // Which of a sender's messages are its latest is told by their times, of all its conversations.
  const auto other = group("alice", {"bob"});
  for (int i = 0; i < 300; ++i) {
    say(R"({"id":"before-)" + std::to_string(i) + R"(","body":"-"})");
    clock.wall += 10;
  }
  settle();
  clock.wall -= 3'600'000;
  const auto topic = "chat/c/" + other + "/msg";
  const auto retry = [&](int i) {
    publish(alice_, topic, R"({"id":"behind-)" + std::to_string(i) + R"(","body":"-"})");
  };
  for (int i = 0; i < 300; ++i) retry(i);
  settle();
  const auto sent = store.messages(other).size();
  restart();
  alice_ = connect("alice", "a1");
  for (int i = 299; i > 299 - 128; --i) retry(i);
  settle();
  EXPECT_EQ(store.messages(other).size(), sent);
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Once, Qos2DuplicateInFrontOfItsRoutingIsTheSameBytes) {
  const auto first = say(kHello, 2);
  const auto duplicate = say(kHello, 2);
  ASSERT_TRUE(first.payload);
  ASSERT_TRUE(duplicate.payload);
  EXPECT_EQ(*first.payload, *duplicate.payload);
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{2});
}

TEST_F(Once, Qos2RetryBehindItsRoutingReachesNobody) {
  ASSERT_TRUE(subscribe(bob_, "chat/c/" + conv_ + "/msg"));
  const auto first = say(kHello, 2);
  ASSERT_EQ(hub->may_read(bob_.ref(), "chat/c/" + conv_ + "/msg", *first.payload), Access::kGranted);
  const auto retry = say(kHello, 2);
  EXPECT_EQ(retry.kind, Kind::kReplace);
  EXPECT_FALSE(retry.payload);
}

TEST_F(Once, ParkedQos2DuplicateGetsOneNumber) {
  restart();
  alice_ = connect("alice", "a1");
  bob_ = online("bob", "b1");
  forget();
  EXPECT_FALSE(say(kHello, 2).payload);
  EXPECT_FALSE(say(kHello, 2).payload);
  settle();
  EXPECT_FALSE(say(kHello, 2).payload);  // the broker's own copy is the empty one
  settle();
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{2});
  EXPECT_EQ(store.messages(conv_).size(), 2U);
}

TEST_F(Once, SameIdWithAnotherPayloadIsAConflict) {
  say(kHello);
  EXPECT_EQ(say(R"({"id":"m1","body":"other"})").kind, Kind::kRefuse);
  ASSERT_EQ(told("alice", "error").size(), 1U);
  EXPECT_EQ(told("alice", "error")[0].at("code"), "id_conflict");
  EXPECT_EQ(told("alice", "error")[0].at("id"), "m1");
}

TEST_F(Once, SameIdInAnotherConversationIsAConflict) {
  const auto other = group("alice", {"bob"});
  say(kHello);
  publish(alice_, "chat/c/" + other + "/msg", kHello);
  settle();
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"id_conflict"});
  EXPECT_TRUE(store.messages(other).empty());
}

TEST_F(Once, TwoSendersMayUseTheSameId) {
  say(kHello);
  publish(bob_, "chat/c/" + conv_ + "/msg", kHello);
  settle();
  EXPECT_EQ(store.messages(conv_).size(), 3U);
  EXPECT_TRUE(error_codes("bob").empty());
}

TEST_F(Once, ARefusedMessageMayBeSentAgainWithItsId) {
  journal.answer_next(AppendResult::kFull);
  EXPECT_EQ(say(kHello).kind, Kind::kRefuse);
  EXPECT_EQ(say(kHello).kind, Kind::kReplace);
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{2});
}

}  // namespace
}  // namespace chat::test
