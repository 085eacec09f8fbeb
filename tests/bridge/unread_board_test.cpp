// Whom the board asks about and when, and what it has told: with a clock of the test's own.
#include "bridge/unread/unread_board.h"

#include <gtest/gtest.h>

#include "bridge/unread/digest.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Instant = UnreadBoard::Instant;

SessionSignal session(const std::string& user, const std::string& device, bool wants = true, bool asked = true) {
  return {.user = user, .device = device, .online = true, .unread = wants, .asked = asked};
}

UnreadStanding standing(const std::string& user, ConvId conv, std::int64_t unread, bool muted = false,
                        TimeMs changes_at = 0) {
  return {.key = {conv, user},
          .member = true,
          .row = {"g:" + std::to_string(conv), unread, 0, muted},
          .changes_at = changes_at};
}

class Board : public ::testing::Test {
 protected:
  void connect(const std::string& user, const std::string& device = "phone") {
    board_.hear(SessionSignals{.reset = false, .sessions = {session(user, device)}}, now_);
  }
  void change(const std::vector<ConvId>& convs, const std::vector<MemberKey>& members = {}) {
    board_.hear(Activity{.everything = false, .conversations = convs, .members = members}, now_);
  }
  // Bob is there, and was told of these.
  UnreadNews open(const std::vector<UnreadStanding>& standings) {
    connect("bob");
    EXPECT_EQ(board_.questions(now_).users, std::vector<std::string>{"bob"});
    return board_.answer("bob", standings, now_).value();
  }
  std::vector<UnreadNews> look(const std::vector<UnreadStanding>& standings) { return board_.answer(standings, now_); }

  Instant now_{std::chrono::hours(1)};
  UnreadBoard board_;
};

TEST_F(Board, NobodyIsAskedAboutWhoDoesNotWatch) {
  change({1, 2}, {{3, "bob"}});
  EXPECT_TRUE(board_.questions(now_).empty());
  EXPECT_EQ(board_.next_question(), std::nullopt);
  board_.hear(SessionSignals{.reset = false, .sessions = {session("bob", "bot", false)}}, now_);
  change({}, {{3, "bob"}});
  EXPECT_TRUE(board_.questions(now_).empty());
  EXPECT_EQ(board_.watched(), 0U);
}

TEST_F(Board, WhoComesIsToldAllThatIsUnread) {
  const auto news = open({standing("bob", 1, 2), standing("bob", 2, 0), standing("bob", 3, 5, true)});
  EXPECT_TRUE(news.whole);
  EXPECT_EQ(news.rows.size(), 2U);
  EXPECT_EQ(news.total, 2);
  EXPECT_TRUE(news.total_changed);
  EXPECT_TRUE(board_.questions(now_ + kTellEvery).empty());
}

TEST_F(Board, AChangeIsToldAtOnceAndTheNextGathered) {
  open({standing("bob", 1, 0), standing("bob", 2, 0)});
  now_ += kTellEvery;
  change({1});
  EXPECT_EQ(board_.questions(now_).members, (std::vector<MemberKey>{{1, "bob"}}));
  const auto news = look({standing("bob", 1, 1)});
  ASSERT_EQ(news.size(), 1U);
  EXPECT_FALSE(news[0].whole);
  EXPECT_EQ(news[0].total, 1);
  now_ += milliseconds(10);
  change({1});
  change({2, 1});
  EXPECT_TRUE(board_.questions(now_).empty());
  EXPECT_EQ(board_.next_question(), now_ - milliseconds(10) + kTellEvery);
  now_ += kTellEvery;
  EXPECT_EQ(board_.questions(now_).members.size(), 2U) << "each once, however often it changed";
  EXPECT_EQ(look({standing("bob", 1, 3), standing("bob", 2, 1)})[0].total, 4);
}

TEST_F(Board, AQuestionStaysOpenUntilItIsAnswered) {
  open({standing("bob", 1, 0)});
  now_ += kTellEvery;
  change({1});
  EXPECT_EQ(board_.questions(now_).members.size(), 1U);
  EXPECT_EQ(board_.questions(now_).members.size(), 1U);
  look({standing("bob", 1, 1)});
  EXPECT_TRUE(board_.questions(now_ + kTellEvery).empty());
}

TEST_F(Board, WhatIsNoNewsIsNotTold) {
  open({standing("bob", 1, 1), standing("bob", 2, 0)});
  now_ += kTellEvery;
  change({1, 2});
  EXPECT_TRUE(look({standing("bob", 1, 1), standing("bob", 2, 0, true)}).empty());
  change({1});
  EXPECT_TRUE(board_.questions(now_).empty());
  EXPECT_FALSE(board_.questions(now_ + kLookEvery).empty());
}

TEST_F(Board, MutingTakesAConversationOutOfTheTotalOnly) {
  open({standing("bob", 1, 3), standing("bob", 2, 4)});
  change({}, {{1, "bob"}});
  const auto news = look({standing("bob", 1, 3, true)});
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].rows[0].unread, 3);
  EXPECT_EQ(news[0].total, 4);
  EXPECT_TRUE(news[0].total_changed);
  change({1});
  const auto more = look({standing("bob", 1, 5, true)});
  EXPECT_FALSE(more[0].total_changed);
}

TEST_F(Board, WhoJoinsOrLeavesHasARowMoreOrLess) {
  open({standing("bob", 1, 3)});
  change({}, {{2, "bob"}});
  EXPECT_EQ(look({standing("bob", 2, 4)})[0].total, 7);
  now_ += kTellEvery;
  change({2});
  EXPECT_EQ(board_.questions(now_).members.size(), 1U) << "what happens there is bob's business from now on";
  UnreadStanding gone{.key = {2, "bob"}, .member = false, .row = {"g:2", 0, 0, false}};
  const auto news = look({gone});
  EXPECT_EQ(news[0].rows[0].unread, 0);
  EXPECT_EQ(news[0].total, 3);
  now_ += kTellEvery;
  change({2});
  EXPECT_TRUE(board_.questions(now_).empty());
}

TEST_F(Board, TheSecondDeviceAsksForAllAndTheLastOneEndsIt) {
  open({standing("bob", 1, 3)});
  connect("bob", "tablet");
  now_ += kTellEvery;
  EXPECT_EQ(board_.questions(now_).users.size(), 1U);
  EXPECT_TRUE(board_.answer("bob", std::vector{standing("bob", 1, 3)}, now_)->whole);
  board_.hear(SessionSignals{.reset = false, .sessions = {{.user = "bob", .device = "phone"}}}, now_);
  EXPECT_EQ(board_.watched(), 1U);
  board_.hear(SessionSignals{.reset = false, .sessions = {session("bob", "tablet", false)}}, now_);
  EXPECT_EQ(board_.watched(), 0U);
  change({1});
  EXPECT_TRUE(board_.questions(now_ + kTellEvery).empty());
  EXPECT_FALSE(board_.answer("bob", std::vector{standing("bob", 1, 3)}, now_)) << "asked before he left";
}

TEST_F(Board, ASnapshotVoidsWhatWasKnown) {
  open({standing("bob", 1, 3, false, 500)});
  board_.hear(SessionSignals{.reset = true, .sessions = {session("carol", "phone")}}, now_);
  EXPECT_EQ(board_.questions(now_).users, std::vector<std::string>{"carol"});
  EXPECT_EQ(board_.next_expiry(), std::nullopt);
}

TEST_F(Board, WhenAnythingMayHaveChangedOnlyWhatHasIsTold) {
  open({standing("bob", 1, 3), standing("bob", 2, 1), standing("bob", 3, 0)});
  now_ += kTellEvery;
  board_.hear(Activity{.everything = true, .conversations = {}, .members = {}}, now_);
  EXPECT_EQ(board_.questions(now_).users.size(), 1U);
  const auto news =
      board_.answer("bob", std::vector{standing("bob", 1, 4), standing("bob", 2, 1), standing("bob", 3, 0)}, now_);
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->whole);
  EXPECT_EQ(news->rows.size(), 1U);
  EXPECT_EQ(news->total, 5);
  now_ += kTellEvery;
  board_.hear(Activity{.everything = true, .conversations = {}, .members = {}}, now_);
  EXPECT_FALSE(board_.answer("bob", std::vector{standing("bob", 1, 4), standing("bob", 2, 1)}, now_));
  board_.hear(Activity{.everything = true, .conversations = {}, .members = {}}, now_);
  EXPECT_TRUE(board_.answer("bob", std::vector{standing("bob", 1, 4)}, now_)->whole) << "one is gone, without its name";
}

TEST_F(Board, WhatExpiresIsAskedAboutThen) {
  open({standing("bob", 1, 3, false, 5000), standing("bob", 2, 1, false, 7000)});
  now_ += kTellEvery;
  EXPECT_EQ(board_.next_expiry(), 5000);
  board_.expire(4999, now_);
  EXPECT_TRUE(board_.questions(now_).empty());
  board_.expire(5000, now_);
  EXPECT_EQ(board_.questions(now_).members, (std::vector<MemberKey>{{1, "bob"}}));
  EXPECT_EQ(look({standing("bob", 1, 2)})[0].total, 3);
  EXPECT_EQ(board_.next_expiry(), 7000);
}

TEST_F(Board, ManyWhoAskForAllHoldUpNobodyWhoDoesNot) {
  open({standing("bob", 1, 0)});
  for (int i = 0; i < 100; ++i) connect("user" + std::to_string(i));
  now_ += kTellEvery;
  change({1});
  const auto questions = board_.questions(now_);
  EXPECT_EQ(questions.users.size(), kUsersAtOnce);
  EXPECT_EQ(questions.members.size(), 1U);
}

// Goal: whatever comes in whatever order, what was told last is what is so, and nobody is told more than five times a
// second. Method: a plain table of counts, changed by chance; the board's questions are answered from it.
TEST_F(Board, TheLastThatIsToldIsWhatIsSo) {
  auto chance = test::generator("board");
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(chance); };
  constexpr int kUsers = 4;
  constexpr int kConvs = 6;
  std::int64_t so[kUsers][kConvs] = {};
  std::map<std::string, std::map<std::string, std::int64_t>> told;
  std::map<std::string, std::int64_t> totals;
  std::map<std::string, Instant> latest;
  const auto name = [](int user) { return "user" + std::to_string(user); };
  const auto tell = [&](const UnreadNews& news) {
    if (latest.contains(news.user)) {
      EXPECT_GE(now_ - latest[news.user], kTellEvery);
    }
    latest[news.user] = now_;
    if (news.whole) told[news.user].clear();
    for (const auto& row : news.rows) told[news.user][row.conv] = row.unread;
    if (news.total_changed) totals[news.user] = news.total;
  };
  const auto serve = [&] {
    const auto questions = board_.questions(now_);
    std::vector<UnreadStanding> standings;
    for (const auto& key : questions.members) {
      standings.push_back(standing(key.user, key.conv_id, so[key.user.back() - '0'][key.conv_id - 1]));
    }
    for (const auto& news : board_.answer(standings, now_)) tell(news);
    for (const auto& user : questions.users) {
      standings.clear();
      for (int conv = 0; conv < kConvs; ++conv)
        standings.push_back(standing(user, conv + 1, so[user.back() - '0'][conv]));
      if (const auto news = board_.answer(user, standings, now_)) tell(*news);
    }
  };
  for (int user = 0; user < kUsers; ++user) connect(name(user));
  for (int step = 0; step < 5000; ++step) {
    now_ += milliseconds(below(30));
    const int user = below(kUsers);
    const int conv = below(kConvs);
    if (below(20) == 0) {
      board_.hear(Activity{.everything = true, .conversations = {}, .members = {}}, now_);
    } else if (below(20) == 0) {
      connect(name(user), "device" + std::to_string(below(3)));
    } else if (below(2) == 0) {
      so[user][conv] = below(5);
      change({}, {{conv + 1, name(user)}});
    } else {
      for (auto& one : so) ++one[conv];
      change({conv + 1});
    }
    if (below(3) != 0) serve();
  }
  now_ += std::chrono::seconds(1);
  serve();
  for (int user = 0; user < kUsers; ++user) {
    std::int64_t sum = 0;
    for (int conv = 0; conv < kConvs; ++conv) {
      EXPECT_EQ(told[name(user)]["g:" + std::to_string(conv + 1)], so[user][conv]);
      sum += so[user][conv];
    }
    EXPECT_EQ(totals[name(user)], sum);
  }
}

TEST(Digest, IsPagedWhereItIsWholeAndSplitWhereItIsNot) {
  UnreadNews news{.user = "bob", .whole = true, .rows = {}, .total = 0, .total_changed = true};
  auto publishes = unread_publishes("chat", news);
  ASSERT_EQ(publishes.size(), 2U);
  EXPECT_EQ(publishes[0].topic, "chat/u/bob/unread");
  EXPECT_EQ(publishes[0].payload, R"({"total":0,"page":1,"pages":1,"conversations":[]})");
  EXPECT_EQ(publishes[1].topic, "chat/u/bob/unread/total");
  EXPECT_EQ(publishes[1].payload, "0");
  news.rows.assign(kDigestRowsMax + 1, {"g:1", 1, 0, false});
  news.total_changed = false;
  publishes = unread_publishes("chat", news);
  ASSERT_EQ(publishes.size(), 2U);
  EXPECT_NE(publishes[1].payload.find(R"("page":2,"pages":2,)"), std::string::npos) << publishes[1].payload;
  news.whole = false;
  publishes = unread_publishes("chat", news);
  ASSERT_EQ(publishes.size(), 2U);
  EXPECT_EQ(publishes[1].payload,
            R"({"total":0,"conversations":[{"conv":"g:1","unread":1,"mentions":0,"muted":false}]})");
}

}  // namespace
}  // namespace chat
