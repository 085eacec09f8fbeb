// Guarantee 4: what a device gets that was away, and how fast.
#include <numeric>

#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

std::vector<Seq> range(Seq from, Seq to) {
  std::vector<Seq> all(static_cast<std::size_t>(to - from + 1));
  std::iota(all.begin(), all.end(), from);
  return all;
}

class CatchUp : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    send(alice_, conv_, "1");
    settle();
  }
  void send_up_to(Seq last) {
    for (Seq seq = store.find_conversation(conv_)->last_seq; seq < last; ++seq) {
      send(alice_, conv_, std::to_string(seq + 1));
      ack(alice_, conv_, seq + 1);
    }
    settle();
  }
  std::string conv_;
  Phone alice_;
};

TEST_F(CatchUp, WhatWasMissedComesInOrderBetweenBeginAndEnd) {
  send_up_to(20);
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), range(1, 20));
  ASSERT_EQ(syncs(bob).size(), 2U);
  EXPECT_EQ(syncs(bob)[0], (nlohmann::json{{"state", "begin"}, {"messages", 20}, {"conversations", 1}}));
  EXPECT_EQ(syncs(bob)[1], (nlohmann::json{{"state", "end"}}));
}

TEST_F(CatchUp, NothingMissedIsSaidToo) {
  const auto dave = online("dave", "d1");
  ASSERT_EQ(syncs(dave).size(), 2U);
  EXPECT_EQ(syncs(dave)[0].at("messages"), 0);
  EXPECT_EQ(syncs(dave)[1].at("state"), "end");
}

TEST_F(CatchUp, NeverMoreThanTheWindowIsUnacknowledgedWhateverTheBacklog) {
  options.outflow.window = 7;
  restart();
  alice_ = connect("alice", "a1");
  send_up_to(2500);  // several pages of the store
  const auto bob = online("bob", "b1");
  Seq acked = 0;
  while (acked < 2500) {
    const auto got = seqs(bob, conv_);
    ASSERT_EQ(got, range(acked + 1, std::min<Seq>(acked + 7, 2500)));
    if (acked + 7 < 2500) {
      EXPECT_EQ(syncs(bob).size(), acked == 0 ? 1U : 0U);
    }
    forget();
    acked = got.back();
    ack(bob, conv_, acked);
    settle();
  }
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, 2500);
}

TEST_F(CatchUp, TheWindowIsOneForAllConversationsMessagesAndEvents) {
  options.outflow.window = 4;
  restart();
  alice_ = connect("alice", "a1");
  const auto other = group("bob", {"alice"});
  for (int i = 0; i < 5; ++i) {
    send(alice_, conv_, "x");
    send(alice_, other, "x");
  }
  settle();
  const auto bob = online("bob", "b1");
  EXPECT_EQ(received(bob).size(), 4U);
  while (seqs(bob, conv_).size() + seqs(bob, other).size() < 11) {
    const auto before = received(bob).size();
    nlohmann::json delivered;
    for (const auto& one : received(bob)) delivered[one.conv][one.seq > 0 ? "seq" : "rev"] = std::max(one.seq, one.rev);
    publish(bob, "chat/ack", nlohmann::json{{"delivered", delivered}}.dump());
    settle();
    ASSERT_GT(received(bob).size(), before) << "stalled";
    ASSERT_LE(received(bob).size(), before + 4);
  }
  EXPECT_EQ(seqs(bob, conv_), range(1, 6));
  EXPECT_EQ(seqs(bob, other), range(1, 5));
}

TEST_F(CatchUp, ADeviceThatFellBehindWhileLiveGetsTheRestWithoutReconnecting) {
  options.outflow.window = 10;
  restart();
  alice_ = connect("alice", "a1");
  const auto bob = online("bob", "b1");
  ack(bob, conv_, 1);
  send_up_to(200);
  EXPECT_EQ(seqs(bob, conv_), range(1, 11));
  for (int i = 0; i < 100 && seqs(bob, conv_).back() < 200; ++i) {
    ack(bob, conv_, seqs(bob, conv_).back());
    settle();
  }
  EXPECT_EQ(seqs(bob, conv_), range(1, 200));
  ack(bob, conv_, 200);
  send_up_to(201);  // and is live again
  EXPECT_EQ(seqs(bob, conv_), range(1, 201));
}

TEST_F(CatchUp, LiveMessagesDuringTheOpeningComeBehindTheBacklog) {
  send_up_to(5);
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#");
  send(alice_, conv_, "6");
  EXPECT_TRUE(seqs(bob, conv_).empty());
  std::optional<Notice> opening;
  while (auto answer = take_answer()) {
    if (std::holds_alternative<DeviceOpened>(*answer)) {
      opening = std::move(answer);
    } else {
      hub->notice(std::move(*answer));
    }
  }
  ASSERT_TRUE(opening);
  send(alice_, conv_, "7");
  hub->notice(std::move(*opening));
  send(alice_, conv_, "8");
  settle();
  EXPECT_EQ(seqs(bob, conv_), range(1, 8));
}

TEST_F(CatchUp, AConversationThatIsOnlyLiveDuringTheOpeningIsNotForgotten) {
  const auto bob = online("bob", "b1");
  ack(bob, conv_, 1, 1);
  settle();
  publish(bob, "chat/sync", "{}");
  forget();
  send(alice_, conv_, "2");
  settle();
  EXPECT_EQ(seqs(bob, conv_), std::vector<Seq>{2});
}

TEST_F(CatchUp, WhatComesBetweenTwoSubscriptionsOfAnOpeningIsNotForgotten) {
  const auto earlier = online("bob", "b1");
  ack(earlier, conv_, 1);
  settle();
  disconnect(earlier);
  forget();
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/event");
  auto opened = take_answer();  // read before the message
  ASSERT_TRUE(opened && std::holds_alternative<DeviceOpened>(*opened));
  send(alice_, conv_, "2");
  subscribe(bob, "chat/u/bob/inbox");
  hub->notice(*std::move(opened));
  send(alice_, conv_, "3");
  settle();
  EXPECT_EQ(seqs(bob, conv_), range(2, 3));
}

TEST_F(CatchUp, NewestWithANoticeOfTheGap) {
  send_up_to(30);
  store.set_device("bob", "b1", {.replay = Replay::kNewest, .replay_limit = 4, .ack = std::nullopt});
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), range(27, 30));
  ASSERT_EQ(syncs(bob).size(), 3U);
  EXPECT_EQ(syncs(bob)[0], (nlohmann::json{{"state", "begin"}, {"messages", 4}, {"conversations", 1}}));
  EXPECT_EQ(syncs(bob)[1], (nlohmann::json{{"state", "limited"}, {"conv", conv_}, {"from", 1}, {"to", 26}}));
}

TEST_F(CatchUp, NewestWithoutAGapSaysNothing) {
  send_up_to(4);
  options.outflow.replay = Replay::kNewest;
  options.outflow.replay_limit = 4;
  restart();
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), range(1, 4));
  EXPECT_EQ(syncs(bob).size(), 2U);
}

TEST_F(CatchUp, OnlyWhatWasNotAcknowledgedComesAgain) {
  send_up_to(10);
  auto bob = online("bob", "b1");
  ack(bob, conv_, 6, 1);
  settle();
  disconnect(bob);
  forget();
  bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), range(7, 10));
  EXPECT_TRUE(revs(bob, conv_).empty());
}

TEST_F(CatchUp, AnAcknowledgementJustBeforeReconnectingCountsThoughItIsNotCommitted) {
  send_up_to(10);
  auto bob = online("bob", "b1");
  ack(bob, conv_, 6);
  disconnect(bob);
  forget();
  bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#");
  EXPECT_FALSE(answer_one() && !received(bob).empty());  // the opening waits behind the acknowledgement's commit
  settle();
  EXPECT_EQ(seqs(bob, conv_), range(7, 10));
}

TEST_F(CatchUp, EventsAreCaughtUpInOrder) {
  auto bob = online("bob", "b1");
  ack(bob, conv_, 1, 1);
  settle();
  disconnect(bob);
  forget();
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  store.add_member(conv_, "dave", Role::kMember, "alice", clock.now());
  store.remove_member(conv_, "carol", "alice", clock.now());
  settle();
  bob = online("bob", "b1");
  EXPECT_EQ(revs(bob, conv_), (std::vector<Rev>{2, 3, 4}));
}

TEST_F(CatchUp, AnEventOnlyDeviceGetsNoMessagesAndKeepsItsPlaceForThem) {
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/event");
  settle();
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  send_up_to(4);
  EXPECT_TRUE(seqs(bob, conv_).empty());
  EXPECT_FALSE(revs(bob, conv_).empty());
  ack(bob, conv_, 0, revs(bob, conv_).back());
  subscribe(bob, "chat/u/bob/inbox");
  settle();
  EXPECT_EQ(seqs(bob, conv_), range(1, 4));
}

TEST_F(CatchUp, TheNewestActivityComesFirst) {
  const auto quiet = group("alice", {"bob"});
  send(alice_, quiet, "old");
  settle();
  clock.pass(1000);
  send_up_to(2);
  const auto bob = online("bob", "b1");
  const auto all = received(bob);
  ASSERT_GE(all.size(), 3U);
  EXPECT_EQ(all.front().conv, conv_);
}

TEST_F(CatchUp, LateAnswersOfAnOlderOpeningAreIgnored) {
  options.outflow.window = 3;
  restart();
  alice_ = connect("alice", "a1");
  send_up_to(2000);
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#");
  std::optional<Notice> page;
  while (!page) {
    auto answer = take_answer();
    ASSERT_TRUE(answer);
    if (std::holds_alternative<PageRead>(*answer)) {
      page = std::move(answer);
    } else {
      hub->notice(std::move(*answer));
    }
  }
  publish(bob, "chat/sync", "{}");
  hub->notice(std::move(*page));
  EXPECT_TRUE(seqs(bob, conv_).empty());
  settle();
  EXPECT_EQ(seqs(bob, conv_), range(1, 3));
}

TEST_F(CatchUp, AnExpiredMessageComesAsATombstone) {
  publish(alice_, "chat/c/" + conv_ + "/msg", R"({"id":"t","body":"secret","ttl":5})");
  settle();
  clock.pass(5000);
  restart();
  const auto bob = online("bob", "b1");
  EXPECT_EQ(seqs(bob, conv_), range(1, 2));
  EXPECT_EQ(received(bob).back().payload.find("secret"), std::string::npos);
}

TEST_F(CatchUp, ManyConversationsAreServedWhateverTheirNumber) {
  std::vector<std::string> convs;
  for (int i = 0; i < 450; ++i) {
    convs.push_back(group("alice", {"bob"}));
    send(alice_, convs.back(), "x");
    if (i % 50 == 0) settle();
  }
  settle();
  restart();
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#");
  settle();
  for (int i = 0; i < 1000 && syncs(bob).size() < 2; ++i) {
    const auto all = received(bob);
    nlohmann::json delivered = nlohmann::json::object();
    for (const auto& one : all) {
      auto& entry = delivered[one.conv];
      if (one.seq > 0) entry["seq"] = one.seq;
      if (one.rev > 0) entry["rev"] = one.rev;
    }
    ASSERT_FALSE(delivered.empty());
    publish(bob, "chat/ack", nlohmann::json{{"delivered", delivered}}.dump());
    settle();
  }
  for (const auto& conv : convs) EXPECT_EQ(seqs(bob, conv), std::vector<Seq>{1});
}

}  // namespace
}  // namespace chat::test
