// Last wills never pass the plugin's message callback: they are refused on chat topics, and where the order of events
// hides them, what they carry reaches nobody.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

class Wills : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    send(alice_, conv_, "1");
    settle();
    forget();
  }
  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Wills, BehindTheDisconnectItIsRefusedAndTold) {
  const auto topic = "chat/c/" + conv_ + "/msg";
  disconnect(alice_);
  EXPECT_EQ(hub->may_write(alice_.ref(), topic), Access::kRefused);
  ASSERT_EQ(told("alice", "error").size(), 1U);
  EXPECT_EQ(told("alice", "error")[0].at("code"), "not_allowed");
  EXPECT_EQ(told("alice", "error")[0].at("topic"), topic);
  hub->tick();
  EXPECT_EQ(told("alice", "error").size(), 1U);  // once
}

TEST_F(Wills, HiddenByTheOrderOfEventsItIsToldAtTheNextOne) {
  EXPECT_EQ(hub->may_write(alice_.ref(), "chat/c/" + conv_ + "/msg"), Access::kGranted);  // and no message follows
  hub->tick();
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"not_allowed"});
}

TEST_F(Wills, AnOrdinaryPublishIsNotTakenForOne) {
  send(alice_, conv_, "2");
  hub->tick();
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Wills, WhatItCarriesIsReadByNobodyNotEvenACopyOfTheStampsForm) {
  const auto topic = "chat/c/" + conv_ + "/msg";
  const auto verdict = send(alice_, conv_, "2");
  std::string forged(*verdict.payload);
  EXPECT_EQ(hub->may_read(bob_.ref(), topic, forged), Access::kGranted);
  forged.back() = ' ';
  EXPECT_EQ(hub->may_read(bob_.ref(), topic, forged), Access::kRefused);
  EXPECT_EQ(hub->may_read(bob_.ref(), topic, R"({"body":"will"})"), Access::kRefused);
  EXPECT_EQ(hub->may_read(bob_.ref(), topic, ""), Access::kRefused);
}

// The will of a connection that was taken over, on the bare prefix, came through to whoever subscribes to "#", and
// stayed retained there: no topic of ours begins so, but the prefix itself is ours as well.
TEST_F(Wills, OnThePrefixItselfItIsReadByNobody) {
  EXPECT_EQ(hub->may_read(bob_.ref(), "chat", "will"), Access::kRefused);
  EXPECT_EQ(hub->may_read(bob_.ref(), "chats", "outside"), Access::kOutside);
}

TEST_F(Wills, AnotherConnectionsFirstWriteIsNotTakenForOne) {
  disconnect(alice_);
  const auto again = connect("alice", "a1");
  subscribe(again, "chat/u/alice/#");
  settle();
  EXPECT_EQ(send(again, conv_, "2").kind, PublishVerdict::Kind::kReplace);
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Wills, AConnectionInTheMemoryOfOneThatEndedWritesNone) {
  disconnect(alice_);
  hub->connected();
  EXPECT_EQ(send(alice_, conv_, "2").kind, PublishVerdict::Kind::kReplace);
  EXPECT_TRUE(error_codes("alice").empty());
}

TEST_F(Wills, OutsideThePrefixTheyAreNoneOfOurBusiness) {
  disconnect(alice_);
  EXPECT_EQ(hub->may_write(alice_.ref(), "status/alice"), Access::kOutside);
}

}  // namespace
}  // namespace chat::test
