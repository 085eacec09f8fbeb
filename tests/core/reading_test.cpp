// Guarantee 11 at the last gate: what the broker is about to deliver.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

class MayRead : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    dave_ = online("dave", "d1");
    send(alice_, conv_, "1");
    settle();
    topic_ = "chat/c/" + conv_ + "/msg";
    const auto verdict = send(alice_, conv_, "2");
    payload_ = *verdict.payload;
  }
  std::string conv_;
  std::string topic_;
  std::string payload_;
  Phone alice_;
  Phone bob_;
  Phone dave_;
};

TEST_F(MayRead, MembersReadExactlyWhatWasStamped) {
  EXPECT_EQ(hub->may_read(bob_.ref(), topic_, payload_), Access::kGranted);
  EXPECT_EQ(hub->may_read(alice_.ref(), topic_, payload_), Access::kGranted);
  EXPECT_EQ(hub->may_read(dave_.ref(), topic_, payload_), Access::kRefused);
  EXPECT_EQ(hub->may_read(connect("", "x").ref(), topic_, payload_), Access::kRefused);
}

TEST_F(MayRead, OneConversationsMessageIsNotReadOnAnothersTopic) {
  const auto other = group("bob");
  send(bob_, other, "load");
  settle();
  EXPECT_EQ(hub->may_read(bob_.ref(), "chat/c/" + other + "/msg", payload_), Access::kRefused);
}

TEST_F(MayRead, UserTopicsAreReadByThatUserOnly) {
  EXPECT_EQ(hub->may_read(bob_.ref(), "chat/u/bob/inbox", "{}"), Access::kGranted);
  EXPECT_EQ(hub->may_read(alice_.ref(), "chat/u/bob/inbox", "{}"), Access::kRefused);
  EXPECT_EQ(hub->may_read(connect("", "x").ref(), "chat/u//inbox", "{}"), Access::kRefused);
}

TEST_F(MayRead, WhatClientsSayToTheServerIsReadByNobody) {
  for (const auto* leaf : {"delivered", "read", "recall", "edit", "react", "typing"}) {
    EXPECT_EQ(hub->may_read(bob_.ref(), "chat/c/" + conv_ + "/" + leaf, payload_), Access::kRefused) << leaf;
  }
  for (const auto* topic : {"chat/ack", "chat/sync", "chat/d/bob/msg", "chat/nonsense"}) {
    EXPECT_EQ(hub->may_read(bob_.ref(), topic, payload_), Access::kRefused) << topic;
  }
  EXPECT_EQ(hub->may_read(bob_.ref(), "weather/today", "rain"), Access::kOutside);
}

TEST_F(MayRead, ARemovedMemberReadsNothingMore) {
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  const auto verdict = send(alice_, conv_, "3");
  EXPECT_EQ(hub->may_read(bob_.ref(), topic_, *verdict.payload), Access::kRefused);
}

TEST_F(MayRead, SubscribingToAConversationsTopicNeedsMembership) {
  EXPECT_TRUE(subscribe(bob_, topic_));
  EXPECT_FALSE(subscribe(dave_, topic_));
  EXPECT_FALSE(subscribe(dave_, "chat/c/dm:alice:bob/msg"));
  const auto cold = group("alice", {"carol"});
  forget();
  EXPECT_TRUE(subscribe(dave_, "chat/c/" + cold + "/msg"));  // unknown as yet; told once known
  settle();
  EXPECT_EQ(error_codes("dave"), std::vector<std::string>{"not_member"});
  EXPECT_TRUE(subscribe(bob_, "chat/c/g:nowhere/msg"));
  settle();
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"not_member"});
}

TEST_F(MayRead, RefusedSubscriptionsAreTold) {
  forget();
  EXPECT_FALSE(subscribe(bob_, "chat/u/alice/inbox"));
  ASSERT_EQ(told("bob", "error").size(), 1U);
  EXPECT_EQ(told("bob", "error")[0].at("code"), "not_allowed");
  EXPECT_EQ(told("bob", "error")[0].at("topic"), "chat/u/alice/inbox");
}

}  // namespace
}  // namespace chat::test
