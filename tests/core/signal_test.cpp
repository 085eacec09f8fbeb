// What the bridge is told of sessions.
#include <algorithm>

#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = PublishVerdict::Kind;

constexpr char kTopic[] = "chat/rpc/signal/sessions";

class Signals : public HubRig {
 protected:
  // What was published to the bridge since the last call.
  std::vector<json> heard() {
    hub->tick();
    std::vector<json> all;
    for (const auto& one : broker.published) {
      if (one.topic != kTopic) continue;
      EXPECT_EQ(hub->may_read(bridge_.ref(), kTopic, one.payload), Access::kGranted);
      all.push_back(json::parse(one.payload));
    }
    broker.published.clear();
    return all;
  }

  std::vector<json> sessions() {
    std::vector<json> all;
    for (const auto& signal : heard()) all.insert(all.end(), signal["sessions"].begin(), signal["sessions"].end());
    return all;
  }

  static json session(const Phone& phone, bool online, bool unread, bool asked) {
    return {{"user", phone.user}, {"device", phone.device}, {"online", online}, {"unread", unread}, {"asked", asked}};
  }

  void bridge_comes() {
    bridge_ = connect("chat-bridge", "bridge");
    ASSERT_TRUE(subscribe(bridge_, "chat/rpc/#"));
  }

  Phone bridge_;
};

TEST_F(Signals, ABridgeThatComesIsToldOfAllSessions) {
  const auto alice = online("alice", "a \"1\"");
  const auto bob = connect("bob", "b1");
  ASSERT_TRUE(subscribe(bob, "chat/u/bob/inbox"));
  bridge_comes();
  const auto first = heard();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0]["n"], 1);
  EXPECT_TRUE(first[0]["reset"]);
  const std::vector<json> all{session(alice, true, true, true), session(bob, true, false, false)};
  const auto told = first[0]["sessions"].get<std::vector<json>>();
  EXPECT_TRUE(std::is_permutation(told.begin(), told.end(), all.begin(), all.end())) << first[0];
  EXPECT_TRUE(heard().empty());
}

TEST_F(Signals, WhereNobodyIsConnectedTheBridgeIsToldThat) {
  bridge_comes();
  const auto first = heard();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(first[0]["reset"]);
  EXPECT_TRUE(first[0]["sessions"].empty());
}

TEST_F(Signals, ComingAskingAndGoingAreToldInOrderOfNumber) {
  bridge_comes();
  heard();
  const auto alice = connect("alice", "a1");
  ASSERT_TRUE(subscribe(alice, "chat/u/alice/inbox"));
  EXPECT_EQ(sessions(), std::vector<json>{session(alice, true, false, false)});
  ASSERT_TRUE(subscribe(alice, "chat/u/alice/unread/total"));
  EXPECT_EQ(sessions(), std::vector<json>{session(alice, true, true, true)});
  ASSERT_TRUE(subscribe(alice, "chat/u/alice/unread/total"));  // again: a retained message would come again, too
  EXPECT_EQ(sessions(), std::vector<json>{session(alice, true, true, true)});
  hub->may_unsubscribe(alice.ref(), "chat/u/alice/unread/total");
  EXPECT_EQ(sessions(), std::vector<json>{session(alice, true, false, false)});
  disconnect(alice);
  const auto last = heard();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0]["n"], 6);
  EXPECT_FALSE(last[0]["reset"]);
  EXPECT_EQ(last[0]["sessions"][0], session(alice, false, false, false));
}

TEST_F(Signals, AResumedSessionThatAsksForItsOwnIsTold) {
  bridge_comes();
  heard();
  const auto alice = connect("alice", "a1");
  publish(alice, "chat/sync", "{}");
  EXPECT_EQ(sessions(), std::vector<json>{session(alice, true, true, true)});
}

TEST_F(Signals, ATakeoverIsNoAbsence) {
  bridge_comes();
  const auto first = online("alice", "a1");
  heard();
  const auto second = connect("alice", "a1");  // before the broker says that the old connection is gone
  ASSERT_TRUE(subscribe(second, "chat/u/alice/#"));
  disconnect(first);
  EXPECT_EQ(sessions(), std::vector<json>{session(second, true, true, true)});
}

TEST_F(Signals, AClientIdThatChangesHandsLeavesOneUserAndGoesToTheOther) {
  bridge_comes();
  const auto alice = online("alice", "tablet");
  heard();
  const auto bob = connect("bob", "tablet");
  ASSERT_TRUE(subscribe(bob, "chat/u/bob/#"));
  const std::vector<json> both{session(alice, false, false, false), session(bob, true, true, true)};
  const auto told = sessions();
  EXPECT_TRUE(std::is_permutation(told.begin(), told.end(), both.begin(), both.end())) << json(told);
}

TEST_F(Signals, ManyAtOnceAreFewPublishes) {
  bridge_comes();
  heard();
  for (int i = 0; i < 1000; ++i) {
    const auto phone = connect("alice", "a" + std::to_string(i));
    ASSERT_TRUE(subscribe(phone, "chat/u/alice/#"));
  }
  const auto told = heard();
  EXPECT_EQ(told.size(), 1000 / SignalWriter::kSessionsAtOnce);
  std::size_t count = 0;
  for (const auto& signal : told) count += signal["sessions"].size();
  EXPECT_EQ(count, 1000U);
}

TEST_F(Signals, WithoutABridgeNothingIsGatheredOrSaid) {
  bridge_comes();
  heard();
  disconnect(bridge_);
  online("alice", "a1");
  EXPECT_TRUE(heard().empty());
}

TEST_F(Signals, NobodyElseWritesOrReadsThem) {
  bridge_comes();
  const auto alice = online("alice", "a1");
  heard();
  const std::string forged = R"({"seal":"x","n":1,"reset":true,"sessions":[]})";
  EXPECT_EQ(publish(alice, kTopic, forged).kind, Kind::kRefuse);
  EXPECT_EQ(hub->may_read(bridge_.ref(), kTopic, forged), Access::kRefused);
  EXPECT_FALSE(subscribe(alice, kTopic));
  bridge_comes();
  hub->tick();
  for (const auto& one : broker.published) {
    if (one.topic != kTopic) continue;
    EXPECT_EQ(hub->may_read(alice.ref(), kTopic, one.payload), Access::kRefused);
  }
}

}  // namespace
}  // namespace chat::test
