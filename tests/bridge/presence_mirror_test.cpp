// Who is online, as other programs read it in Redis: a lease for each, whatever happens to Redis.
#include "bridge/presence/presence_mirror.h"

#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/support/private_redis.h"
#include "tests/support/wait.h"

namespace chat {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr TimeMs kNow = 1'700'000'000'000;

class PresenceMirrorTest : public ::testing::Test {
 protected:
  PresenceMirrorTest() {
    std::signal(SIGPIPE, SIG_IGN);
    board_.recall({}, kNow, {});
    board_.hear({.reset = true, .sessions = {}}, kNow, {});
  }

  // Leases of an hour: what is there again was not just renewed.
  void mirror(MirrorTimes times = {.round = milliseconds(5), .lease = hours(1)}) {
    const RedisPatience patience{.first_wait = milliseconds(5), .longest_wait = milliseconds(20)};
    mirror_ = std::make_unique<PresenceMirror>(
        "acme/chat", board_,
        std::make_unique<Redis>(
            parse_redis_uri(server_.uri()), [](bool, const auto&) {}, patience),
        [] { return kNow; }, times);
  }
  void session(const std::string& user, bool online) {
    board_.hear({.reset = false, .sessions = {{user, "phone", online, false, false}}}, kNow, {});
  }
  bool there(const std::string& user) const { return server_.cli("EXISTS", "acme/chat:presence:" + user) == "1"; }
  void await(const std::string& user, bool wanted = true) {
    test::eventually(user + (wanted ? " in Redis" : " gone from Redis"), [&] { return there(user) == wanted; });
  }

  test::PrivateRedis server_;
  PresenceBoard board_;
  std::unique_ptr<PresenceMirror> mirror_;
};

TEST_F(PresenceMirrorTest, AKeyIsThereWhileItsUserIsOnline) {
  session("alice", true);
  mirror();
  await("alice");
  EXPECT_EQ(server_.cli("GET", "acme/chat:presence:alice"),
            R"({"user":"alice","online":true,"last_seen":1700000000000})");
  session("bob", true);
  await("bob");
  session("alice", false);
  board_.take(PresenceBoard::Steady(hours(1)), 10);
  await("alice", false);
  EXPECT_TRUE(there("bob"));
}

TEST_F(PresenceMirrorTest, AFlushIsHealedAtOnce) {
  for (int i = 0; i < 1200; ++i) session("user-" + std::to_string(i), true);
  mirror();
  for (int flush = 0; flush < 3; ++flush) {
    test::eventually("all of them, and the mark", [&] { return server_.cli("DBSIZE") == "1201"; });
    EXPECT_EQ(server_.cli("FLUSHALL"), "OK");
  }
  test::eventually("all of them, and the mark", [&] { return server_.cli("DBSIZE") == "1201"; });
}

TEST_F(PresenceMirrorTest, ARestartIsHealedToo) {
  session("alice", true);
  session("bob", true);
  mirror();
  await("bob");
  server_.kill();
  session("carol", true);
  server_.start();
  for (const auto* user : {"alice", "bob", "carol"}) await(user);
}

// Nobody knows better than the leases while the link to the broker is down, or the bridge.
TEST_F(PresenceMirrorTest, LeasesEndByThemselvesWhenTheLinkIsLostAndAreRenewedWhileItStands) {
  session("alice", true);
  mirror({.round = milliseconds(20), .lease = milliseconds(900)});
  await("alice");
  server_.cli("SET", "acme/chat:presence:alice", "changed");  // without a lease
  test::eventually("a renewal", [&] { return server_.cli("TTL", "acme/chat:presence:alice") != "-1"; });
  board_.link_lost(kNow);
  await("alice", false);
}

TEST_F(PresenceMirrorTest, EndsWithoutWaitingForAFrozenRedis) {
  session("alice", true);
  mirror();
  await("alice");
  server_.signal(SIGSTOP);
  mirror_->stop();
  server_.signal(SIGCONT);
}

}  // namespace
}  // namespace chat
