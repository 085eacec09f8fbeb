// What is kept of how a user stands: the log of what changed since, the text in Redis, pages of it, and what happens
// where Redis or PostgreSQL is not there.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "bridge/standings/list_standings.h"
#include "bridge/standings/pages.h"
#include "bridge/standings/standing_text.h"
#include "tests/support/private_redis.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

constexpr TimeMs kKeptAt = 1'750'000'000'000;

UnreadStanding standing(ConvId conv, std::int64_t unread = 0, TimeMs active = kKeptAt) {
  return {.key = {conv, "bob"},
          .member = true,
          .row = {"g:" + std::to_string(conv), unread, 0, false},
          .active = active,
          .changes_at = 0};
}

std::vector<ConvId> sorted(const std::optional<std::vector<ConvId>>& convs) {
  auto all = convs.value();
  std::sort(all.begin(), all.end());
  return all;
}

// ---- the log

const Activity kEverything{.everything = true, .conversations = {}, .members = {}};

TEST(StandingLogs, WhatWasHeardBehindAMarkHasChanged) {
  StandingLog log;
  log.hear(kEverything);
  const std::vector<UnreadStanding> then{standing(1), standing(2), standing(3)};
  log.hear({.everything = false, .conversations = {1}, .members = {}});
  const auto mark = log.mark();
  EXPECT_EQ(sorted(log.changed("bob", then, mark)), std::vector<ConvId>());
  log.hear({.everything = false, .conversations = {2, 99}, .members = {{3, "alice"}, {17, "bob"}}});
  EXPECT_EQ(sorted(log.changed("bob", then, mark)), (std::vector<ConvId>{2, 17}));
  EXPECT_EQ(sorted(log.changed("alice", then, mark)), (std::vector<ConvId>{2, 3}));
  EXPECT_EQ(sorted(log.changed("bob", then, log.mark())), std::vector<ConvId>());
}

TEST(StandingLogs, WhereAnythingMayHaveBeenMissedEverythingHasChanged) {
  StandingLog log;
  EXPECT_EQ(log.changed("bob", {}, log.mark()), std::nullopt) << "before anything was heard";
  log.hear(kEverything);
  const auto before = log.mark();
  log.remember("bob");
  log.hear(kEverything);
  EXPECT_EQ(log.changed("bob", {}, before), std::nullopt);
  EXPECT_FALSE(log.remembers("bob"));
  EXPECT_EQ(StandingLog().changed("bob", {}, log.mark()), std::nullopt) << "a mark of another process";
}

TEST(StandingLogs, WhileSomebodyDoesNotHearNothingIsKnown) {
  StandingLog log;
  log.hear(kEverything);
  const auto before = log.mark();
  log.lost();
  EXPECT_EQ(log.changed("bob", {}, before), std::nullopt);
  log.hear(kEverything);  // another one's
  const auto meanwhile = log.mark();
  EXPECT_EQ(log.changed("bob", {}, meanwhile), std::nullopt);
  log.found();
  EXPECT_EQ(log.changed("bob", {}, meanwhile), std::nullopt);
  EXPECT_EQ(sorted(log.changed("bob", {}, log.mark())), std::vector<ConvId>());
}

// A feed that answers what it is told to, or throws.
class ScriptedFeed : public ActivityFeed {
 public:
  explicit ScriptedFeed(const bool& away) : away_(away) {}
  Activity wait(std::chrono::milliseconds) override { return so_far(); }
  Activity so_far() override {
    if (away_) throw StoreUnavailable("away");
    return {};
  }
  void interrupt() noexcept override {}

 private:
  const bool& away_;
};

TEST(HeardFeeds, TheLogKnowsNothingWhileTheFeedIsAway) {
  StandingLog log;
  log.hear(kEverything);
  bool away = false;
  auto feed = std::make_unique<HeardFeed>(std::make_unique<ScriptedFeed>(away), log);
  const auto knows = [&] { return log.changed("bob", {}, log.mark()).has_value(); };
  feed->so_far();
  EXPECT_TRUE(knows());
  away = true;
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(feed->wait({}), StoreUnavailable);
    EXPECT_FALSE(knows());
  }
  away = false;
  feed->so_far();
  EXPECT_TRUE(knows());
  away = true;
  EXPECT_THROW(feed->so_far(), StoreUnavailable);
  feed.reset();
  EXPECT_TRUE(knows()) << "one that is gone is not waited for";
}

TEST(StandingLogs, ItBeginsAnewRatherThanGrowWithoutEnd) {
  StandingLog log(100);
  log.hear(kEverything);
  const auto before = log.mark();
  for (ConvId conv = 1; conv <= 101; ++conv) log.hear({.everything = false, .conversations = {conv}, .members = {}});
  EXPECT_EQ(log.mark().era, before.era);
  log.hear({.everything = false, .conversations = {102}, .members = {}});
  EXPECT_NE(log.mark().era, before.era);
  EXPECT_EQ(log.changed("bob", {}, before), std::nullopt);
}

// ---- the text

TEST(StandingTexts, WhatIsWrittenIsReadAgain) {
  KeptStandings kept{.mark = {~std::uint64_t{0}, 17}, .at = kKeptAt, .standings = {standing(1, 3), standing(2)}};
  kept.standings[0].row.mentions = 2;
  kept.standings[0].row.muted = true;
  kept.standings[0].changes_at = kKeptAt + 5;
  const auto text = standing_text(kept);
  const auto read = read_standings(text, "bob").value();
  EXPECT_EQ(read.mark, kept.mark);
  EXPECT_EQ(read.at, kKeptAt);
  EXPECT_EQ(standing_text(read), text);
  EXPECT_EQ(read.standings.at(0).key.user, "bob");
  EXPECT_EQ(read.standings.at(0).row.muted, true);
  EXPECT_EQ(read_standings(standing_text({}), "bob").value().standings.size(), 0U);
}

// Cut anywhere, or with any byte changed into one that can't be there, it is no text of ours.
TEST(StandingTexts, ATornOrMangledTextIsNotRead) {
  const auto text = standing_text({.mark = {1, 2}, .at = kKeptAt, .standings = {standing(1, 3), standing(22)}});
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(read_standings(text.substr(0, size), "bob"), std::nullopt) << size << " bytes";
  }
  EXPECT_EQ(read_standings(text + "1", "bob"), std::nullopt);
  EXPECT_EQ(read_standings(text + text, "bob"), std::nullopt);
  int unread = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto mangled = text;
    mangled[at] = '\n';
    if (text[at] == '\n') mangled[at] = ' ';
    unread += read_standings(mangled, "bob") ? 0 : 1;
  }
  EXPECT_EQ(unread, static_cast<int>(text.size()));
}

// ---- pages

// Goal: pages of any size give each row once, in the order of a naive sort. Method: random standings with many equal
// times.
TEST(StandingPages, PagesOfAnySizeGiveEachRowOnceInOrder) {
  auto chance = test::generator("standing pages");
  for (int round = 0; round < 200; ++round) {
    std::vector<UnreadStanding> all;
    for (ConvId conv = 1 + chance() % 3; conv < static_cast<ConvId>(chance() % 60); conv += 1 + chance() % 3)
      all.push_back(standing(conv, static_cast<std::int64_t>(chance() % 3), static_cast<TimeMs>(chance() % 4)));
    std::shuffle(all.begin(), all.end(), chance);
    auto wanted = all;
    std::sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) {
      if ((a.row.unread > 0) != (b.row.unread > 0)) return a.row.unread > 0;
      return a.active != b.active ? a.active > b.active : a.key.conv_id > b.key.conv_id;
    });
    std::vector<ConvId> listed;
    std::optional<ListPlace> behind;
    do {
      const auto limit = 1 + static_cast<int>(chance() % 20);
      const auto page = overview_keys(all, behind, limit);
      ASSERT_LE(page.convs.size(), static_cast<std::size_t>(limit));
      listed.insert(listed.end(), page.convs.begin(), page.convs.end());
      behind = page.next;
    } while (behind);
    ASSERT_EQ(listed.size(), all.size());
    for (std::size_t i = 0; i < listed.size(); ++i) ASSERT_EQ(listed[i], wanted[i].key.conv_id);

    std::int64_t counted = 0;
    std::int64_t total = 0;
    ConvId last = 0;
    do {
      const auto page = unread_page(all, last, 1 + static_cast<int>(chance() % 20));
      for (const auto& row : page.rows) counted += row.unread;
      total = page.total;
      last = page.next;
    } while (last != 0);
    ASSERT_EQ(counted, total);
  }
}

// ---- with a Redis of its own, and a store that counts how often it is asked

struct Asked {
  int users = 0;
  std::vector<ConvId> members;
};

class CountingStore : public UnreadStore {
 public:
  CountingStore(const std::map<ConvId, UnreadStanding>& standings, Asked& asked)
      : standings_(standings), asked_(asked) {}
  std::vector<UnreadStanding> of_user(const std::string&, TimeMs) override {
    ++asked_.users;
    std::vector<UnreadStanding> all;
    for (const auto& [conv, one] : standings_) all.push_back(one);
    return all;
  }
  std::vector<UnreadStanding> of_members(std::span<const MemberKey> keys, TimeMs) override {
    std::vector<UnreadStanding> some;
    for (const auto& key : keys) {
      asked_.members.push_back(key.conv_id);
      const auto found = standings_.find(key.conv_id);
      auto& one = some.emplace_back();
      if (found != standings_.end()) {
        one = found->second;
      } else {
        one.key = key;
        one.member = false;
      }
    }
    return some;
  }
  void interrupt() noexcept override {}

 private:
  const std::map<ConvId, UnreadStanding>& standings_;
  Asked& asked_;
};

class StandingCaches : public ::testing::Test {
 protected:
  StandingCaches() {
    std::signal(SIGPIPE, SIG_IGN);
    for (ConvId conv = 1; conv <= 3; ++conv) standings_.emplace(conv, standing(conv, conv));
    log_.hear(kEverything);
    start(3);
  }
  // Patient: a machine that is busy must not turn Redis into one that is away.
  void start(std::size_t from, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    auto redis = std::make_unique<Redis>(
        parse_redis_uri(server_.uri()), [](bool, const std::string&) {},
        RedisPatience{.connect = patience,
                      .answer = patience,
                      .first_wait = std::chrono::milliseconds(1),
                      .longest_wait = std::chrono::milliseconds(1)});
    cache_ = std::make_unique<StandingCache>("acme/chat", std::make_unique<CountingStore>(standings_, asked_),
                                             std::move(redis), log_, from);
  }
  // Unread messages by conversation.
  std::map<ConvId, std::int64_t> look(TimeMs now = kKeptAt) {
    std::map<ConvId, std::int64_t> unread;
    for (const auto& one : cache_->of_user("bob", now)) unread[one.key.conv_id] = one.row.unread;
    return unread;
  }
  void change(ConvId conv, std::int64_t unread) {
    standings_.insert_or_assign(conv, standing(conv, unread));
    log_.hear({.everything = false, .conversations = {conv}, .members = {{conv, "bob"}}});
  }

  test::PrivateRedis server_;
  std::map<ConvId, UnreadStanding> standings_;
  Asked asked_;
  StandingLog log_;
  std::unique_ptr<StandingCache> cache_;
};

using Unread = std::map<ConvId, std::int64_t>;

TEST_F(StandingCaches, OnlyWhatChangedIsAskedAgain) {
  EXPECT_EQ(look(), (Unread{{1, 1}, {2, 2}, {3, 3}}));
  EXPECT_EQ(look(), (Unread{{1, 1}, {2, 2}, {3, 3}}));
  EXPECT_EQ(asked_.users, 1);
  EXPECT_EQ(asked_.members, std::vector<ConvId>{});
  change(2, 5);
  change(7, 1);  // joined
  standings_.erase(1);
  log_.hear({.everything = false, .conversations = {}, .members = {{1, "bob"}}});
  EXPECT_EQ(look(), (Unread{{2, 5}, {3, 3}, {7, 1}}));
  EXPECT_EQ(asked_.members, (std::vector<ConvId>{1, 2, 7}));
  EXPECT_EQ(look(), (Unread{{2, 5}, {3, 3}, {7, 1}}));
  EXPECT_EQ(asked_.members.size(), 3U) << "it was kept with the changes";
  EXPECT_EQ(asked_.users, 1);
  EXPECT_GT(std::stoll(server_.cli("PTTL", "acme/chat:standings:bob")), 3'000'000);
}

TEST_F(StandingCaches, WhatExpiresIsAskedAgainWhenItHas) {
  auto expiring = standing(1, 1);
  expiring.changes_at = kKeptAt + 100;
  standings_.insert_or_assign(1, expiring);
  look();
  standings_.insert_or_assign(1, standing(1, 0));
  EXPECT_EQ(look(kKeptAt + 99).at(1), 1);
  EXPECT_EQ(look(kKeptAt + 100).at(1), 0);
  EXPECT_EQ(asked_.members, std::vector<ConvId>{1});
  standings_.insert_or_assign(1, expiring);
  EXPECT_EQ(look(kKeptAt + 50).at(1), 1) << "the clock was set back: it has not expired any more";
  EXPECT_EQ(asked_.users, 2);
}

TEST_F(StandingCaches, UsersWithFewConversationsAreNotKept) {
  start(4);
  look();
  look();
  EXPECT_EQ(asked_.users, 2);
  EXPECT_EQ(server_.cli("DBSIZE"), "0");
}

TEST_F(StandingCaches, WhoHasFewConversationsLeftIsNotLookedForAnyMore) {
  look();
  EXPECT_TRUE(log_.remembers("bob"));
  server_.cli("FLUSHALL");
  standings_.erase(1);
  EXPECT_EQ(look().size(), 2U);
  EXPECT_FALSE(log_.remembers("bob"));
}

TEST_F(StandingCaches, WhateverHappensToRedisTheAnswerIsRight) {
  start(3, std::chrono::milliseconds(200));
  const Unread wanted{{1, 1}, {2, 2}, {3, 3}};
  const std::string key = "acme/chat:standings:bob";
  EXPECT_EQ(look(), wanted);
  server_.cli("FLUSHALL");
  EXPECT_EQ(look(), wanted);
  server_.cli("SET", key, "nonsense");
  EXPECT_EQ(look(), wanted);
  server_.cli("DEL", key);
  server_.cli("LPUSH", key, "a list");
  EXPECT_EQ(look(), wanted);
  server_.kill();
  EXPECT_EQ(look(), wanted);
  server_.start();
  EXPECT_EQ(look(), wanted);
  server_.signal(SIGSTOP);
  EXPECT_EQ(look(), wanted);
  server_.signal(SIGCONT);
  EXPECT_EQ(asked_.users, 7);
}

// A text of an earlier process, whose log nobody has.
TEST_F(StandingCaches, WhatAnotherBridgeLeftBehindIsNotUsed) {
  look();
  StandingLog log;
  log.hear(kEverything);
  log.remember("bob");
  auto redis = std::make_unique<Redis>(parse_redis_uri(server_.uri()), [](bool, const std::string&) {});
  StandingCache later("acme/chat", std::make_unique<CountingStore>(standings_, asked_), std::move(redis), log, 3);
  standings_.insert_or_assign(1, standing(1, 9));
  EXPECT_EQ(later.of_user("bob", kKeptAt).front().row.unread, 9);
  EXPECT_EQ(asked_.users, 2);
}

TEST_F(StandingCaches, SomebodyInThousandsOfChangedConversationsIsCountedAnew) {
  look();
  for (ConvId conv = 1; conv <= 501; ++conv) change(conv, 1);
  EXPECT_EQ(look().size(), 501U);
  EXPECT_EQ(asked_.users, 2);
  EXPECT_EQ(asked_.members, std::vector<ConvId>{});
}

}  // namespace
}  // namespace chat
