// Who is online, out of what the broker tells, with a clock that the test moves.
#include "bridge/presence/presence_board.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "tests/support/seed.h"

namespace chat {
namespace {

using std::chrono::milliseconds;

constexpr TimeMs kStart = 1'700'000'000'000;

class PresenceBoardTest : public ::testing::Test {
 protected:
  void start() {
    board_.recall({}, now(), steady());
    snapshot({});
  }
  void snapshot(const std::vector<SessionName>& here) {
    SessionSignals signals{.reset = true, .sessions = {}};
    for (const auto& [user, device] : here) signals.sessions.push_back({user, device, true, false, false});
    board_.hear(signals, now(), steady());
  }
  void session(const std::string& user, const std::string& device, bool online) {
    board_.hear({.reset = false, .sessions = {{user, device, online, false, false}}}, now(), steady());
  }
  void pass(milliseconds time) { passed_ += time; }
  TimeMs now() const { return kStart + passed_.count(); }
  PresenceBoard::Steady steady() const { return PresenceBoard::Steady(passed_); }
  PresenceNews take() { return board_.take(steady(), 100); }
  // What take() gives, told and kept.
  PresenceNews settle() {
    auto news = take();
    board_.done(news, steady());
    return news;
  }
  std::vector<PresenceChange> told() { return settle().changes; }
  bool online(const std::string& user) const { return board_.find(user).online; }

  static PresenceChange came(const std::string& user) { return {user, {true, 0}}; }
  static PresenceChange went(const std::string& user, TimeMs at) { return {user, {false, at}}; }

  PresenceBoard board_{{.takeover = milliseconds(2000), .grace = milliseconds(10'000), .memory = milliseconds(60'000)}};

 private:
  milliseconds passed_{0};
};

using Changes = std::vector<PresenceChange>;

TEST_F(PresenceBoardTest, OneIsOnlineWhileAnySessionIs) {
  start();
  session("bob", "phone", true);
  session("bob", "tablet", true);
  EXPECT_EQ(told(), Changes{came("bob")});
  session("bob", "phone", false);
  pass(milliseconds(5000));
  const auto news = settle();
  EXPECT_TRUE(news.changes.empty());
  EXPECT_EQ(news.ended, (std::vector<EndedSession>{{"bob", "phone", kStart, kStart + 1000}}));
  session("bob", "tablet", false);
  const TimeMs ended = now();
  pass(milliseconds(1999));
  EXPECT_TRUE(told().empty());
  EXPECT_TRUE(online("bob"));
  pass(milliseconds(1));
  EXPECT_EQ(told(), Changes{went("bob", ended)});
  EXPECT_EQ(board_.find("bob"), (Presence{false, ended}));
  EXPECT_TRUE(settle().empty());
}

TEST_F(PresenceBoardTest, ATakeoverIsNoChange) {
  start();
  session("bob", "phone", true);
  told();
  for (int i = 0; i < 5; ++i) {
    session("bob", "phone", false);
    pass(milliseconds(1500));
    EXPECT_TRUE(settle().empty());
    session("bob", "phone", true);
    pass(milliseconds(5000));
    EXPECT_TRUE(settle().empty());
    EXPECT_TRUE(online("bob"));
  }
}

TEST_F(PresenceBoardTest, WhoCameAndWentWithinATickWasHere) {
  start();
  session("bob", "script", false);
  EXPECT_EQ(told(), Changes{came("bob")});
  pass(milliseconds(2000));
  EXPECT_EQ(told(), Changes{went("bob", kStart)});
}

TEST_F(PresenceBoardTest, BehindALostLinkThoseWhoAreBackInTimeNeverWent) {
  start();
  for (const auto* user : {"alice", "bob", "carol"}) session(user, "phone", true);
  told();
  pass(milliseconds(1000));
  const TimeMs lost = now();
  board_.link_lost(lost);
  pass(milliseconds(3'600'000));
  EXPECT_TRUE(take().empty()) << "nothing is known while the link is down";
  EXPECT_FALSE(board_.current());
  snapshot({{"alice", "phone"}});
  pass(milliseconds(9'000));
  session("bob", "phone", true);
  EXPECT_TRUE(told().empty());
  pass(milliseconds(1'000));
  EXPECT_EQ(told(), Changes{went("carol", lost)});
  EXPECT_TRUE(online("alice"));
  EXPECT_TRUE(online("bob"));
}

TEST_F(PresenceBoardTest, WhoHadGoneBeforeTheLinkWasLostWentThen) {
  start();
  session("bob", "phone", true);
  told();
  session("bob", "phone", false);
  pass(milliseconds(500));
  board_.link_lost(now());
  pass(milliseconds(5000));
  snapshot({});
  EXPECT_EQ(told(), Changes{went("bob", kStart)});
}

TEST_F(PresenceBoardTest, ANewBridgeTellsOnlyWhatDiffersFromWhatWasTold) {
  board_.hear({.reset = true, .sessions = {{"alice", "phone", true, false, false}, {"dave", "tv", true, false, false}}},
              now(), steady());
  EXPECT_TRUE(take().empty()) << "what was told before is not known yet";
  const std::vector<KeptSession> kept{{"alice", "phone", true, kStart - 4000},
                                      {"bob", "phone", true, kStart - 4000},
                                      {"carol", "watch", false, kStart - 3000}};
  board_.recall(kept, now(), steady());
  const auto first = settle();
  EXPECT_EQ(first.changes, (Changes{came("carol"), came("dave")}));
  EXPECT_EQ(first.begun, (std::vector<SessionName>{{"dave", "tv"}}));
  pass(milliseconds(10'000));
  const auto news = settle();
  EXPECT_EQ(news.changes, (Changes{went("bob", kStart - 4000), went("carol", kStart - 3000)}));
  EXPECT_EQ(news.ended, (std::vector<EndedSession>{{"bob", "phone", kStart - 4000, kStart},
                                                   {"carol", "watch", kStart - 3000, kStart}}));
}

// Other programs read in Redis who is online: what PostgreSQL does to the one who takes the news is nothing to them.
TEST_F(PresenceBoardTest, WhoDoesNotComeBackIsNotOnlineThoughNobodyTakesTheNews) {
  start();
  session("bob", "phone", true);
  session("carol", "phone", true);
  EXPECT_EQ(told().size(), 2U);
  session("bob", "phone", false);
  pass(milliseconds(1999));
  EXPECT_EQ(board_.online(steady()), (std::vector<std::string>{"bob", "carol"})) << "it may be back";
  pass(milliseconds(1));
  EXPECT_EQ(board_.online(steady()), std::vector<std::string>{"carol"});
  board_.link_lost(now());
  pass(milliseconds(100'000));
  EXPECT_EQ(board_.online(steady()), std::vector<std::string>{"carol"}) << "nothing changes while the link is down";
  EXPECT_TRUE(take().empty());
}

TEST_F(PresenceBoardTest, WhatWasNotToldIsTakenAgainUnlessItBecameVoid) {
  start();
  session("alice", "phone", true);
  session("bob", "phone", true);
  const auto news = take();
  EXPECT_EQ(news.changes.size(), 2U);
  session("bob", "phone", false);
  pass(milliseconds(2000));
  board_.again(news);
  EXPECT_EQ(told(), Changes{came("alice")});
}

// The end is under way to PostgreSQL when the device is back: it is to be kept as here again.
TEST_F(PresenceBoardTest, WhoIsBackWhileTheEndIsToldIsToldToBeBack) {
  start();
  session("bob", "phone", true);
  told();
  session("bob", "phone", false);
  pass(milliseconds(2000));
  const auto news = take();
  session("bob", "phone", true);
  board_.done(news, steady());
  const auto next = settle();
  EXPECT_EQ(next.changes, Changes{(PresenceChange{"bob", {true, kStart}})});
  EXPECT_EQ(next.begun, (std::vector<SessionName>{{"bob", "phone"}}));
}

TEST_F(PresenceBoardTest, TakesNoMoreThanItIsAskedForAndForgetsNobody) {
  start();
  for (int i = 0; i < 25; ++i) session("user-" + std::to_string(i), "phone", true);
  std::size_t told_users = 0;
  for (int i = 0; i < 3; ++i) {
    const auto news = board_.take(steady(), 10);
    EXPECT_LE(news.changes.size(), 10U);
    told_users += news.changes.size();
    board_.done(news, steady());
  }
  EXPECT_EQ(told_users, 25U);
  EXPECT_EQ(board_.online(steady()).size(), 25U);
}

// Random sessions, failures and lost links: once all is calm, who was told to be online is who is.
TEST_F(PresenceBoardTest, WhateverHappensTheLastWordIsTheTruth) {
  const auto seed = test::seed();
  std::mt19937_64 chance(seed);
  const auto roll = [&](unsigned sides) { return static_cast<unsigned>(chance() % sides); };
  start();
  std::map<std::string, bool> truth;  // by user and device
  std::map<std::string, bool> told_state;
  const auto name = [](unsigned n) { return std::string(1, static_cast<char>('a' + n)); };
  const auto listen = [&](const PresenceNews& news) {
    for (const auto& change : news.changes) {
      EXPECT_NE(told_state[change.user], change.now.online) << change.user << " was told twice, seed " << seed;
      told_state[change.user] = change.now.online;
    }
  };
  const auto tell_all = [&] {
    std::vector<SessionName> here;
    for (const auto& [key, online] : truth) {
      if (online) here.push_back({key.substr(0, 1), key.substr(1)});
    }
    snapshot(here);
  };
  bool up = true;
  for (int i = 0; i < 20'000; ++i) {
    const auto user = name(roll(5));
    const auto device = name(roll(3));
    switch (roll(12)) {
      case 0:
        up = !up;
        if (up) tell_all();
        if (!up) board_.link_lost(now());
        break;
      case 1:
        pass(milliseconds(roll(4000)));
        break;
      case 2: {
        const auto news = take();
        if (roll(3) == 0) {
          board_.again(news);
        } else {
          listen(news);
          board_.done(news, steady());
        }
        break;
      }
      default:
        truth[user + device] = roll(2) == 0;
        if (up) session(user, device, truth[user + device]);
    }
  }
  if (!up) tell_all();
  for (int i = 0; i < 30; ++i) {
    pass(milliseconds(1000));
    const auto news = take();
    listen(news);
    board_.done(news, steady());
  }
  for (unsigned n = 0; n < 5; ++n) {
    bool here = false;
    for (unsigned d = 0; d < 3; ++d) here = here || truth[name(n) + name(d)];
    EXPECT_EQ(told_state[name(n)], here) << name(n) << ", seed " << seed;
    EXPECT_EQ(online(name(n)), here) << name(n) << ", seed " << seed;
  }
  EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace chat
