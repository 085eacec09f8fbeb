// Redis may be away, frozen or emptied at any time; whoever asks gets an answer or none, and goes on.
#include "storage/redis/redis.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/private_redis.h"
#include "tests/support/wait.h"

namespace chat {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const RedisReply kNil{.nil = true, .text = {}};

RedisReply said(const std::string& text) {
  return {.text = text};
}

class RedisTest : public ::testing::Test {
 protected:
  RedisTest() { std::signal(SIGPIPE, SIG_IGN); }

  Redis& connect(const std::string& uri, RedisPatience patience = {}) {
    redis_ = std::make_unique<Redis>(
        parse_redis_uri(uri),
        [this](bool back, const std::string& what) { told_.push_back((back ? "+" : "-") + what); }, patience);
    return *redis_;
  }

  test::PrivateRedis server_;
  std::vector<std::string> told_;
  std::unique_ptr<Redis> redis_;
};

TEST_F(RedisTest, AnswersAPipelineInOrder) {
  Redis& redis = connect(server_.uri());
  const std::string bytes("a\0b\r\n", 5);
  const std::vector<Redis::Command> commands{{"SET", "key", bytes}, {"GET", "key"},  {"GET", "nothing"},
                                             {"INCR", "n"},         {"SET", "", ""}, {"GET", ""}};
  EXPECT_EQ(redis.run(commands),
            (std::vector<RedisReply>{said("OK"), said(bytes), kNil, said("1"), said("OK"), said("")}));
  EXPECT_EQ(redis.run(std::vector<Redis::Command>()), std::vector<RedisReply>());
  EXPECT_TRUE(told_.empty());
}

TEST_F(RedisTest, IsFoundByASocketWithPasswordAndDatabase) {
  const test::PrivateRedis other("s/e:c@ret");
  Redis& redis = connect("unix://:s%2Fe%3ac%40ret@" + other.socket_path() + "?db=3");
  EXPECT_EQ(redis.run({"SET", "where", "three"}), said("OK"));
  EXPECT_EQ(redis.run({"GET", "where"}), said("three"));
  EXPECT_EQ(other.cli("GET", "where"), "") << "it is in another database";
  Redis& by_name = connect("redis://default:s%2Fe%3Ac%40ret@" + other.uri().substr(8) + "/3");
  EXPECT_EQ(by_name.run({"GET", "where"}), said("three"));
  Redis& stranger = connect("redis://:wrong@" + other.uri().substr(8));
  EXPECT_EQ(stranger.run({"GET", "where"}), std::nullopt);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].find("WRONGPASS"), std::string::npos) << told_[0];
  EXPECT_EQ(told_[0].find("wrong@"), std::string::npos) << told_[0];
}

TEST_F(RedisTest, AFlushIsAKeyThatIsNotThere) {
  Redis& redis = connect(server_.uri());
  EXPECT_EQ(redis.run({"SET", "key", "1"}), said("OK"));
  EXPECT_EQ(server_.cli("FLUSHALL"), "OK");
  EXPECT_EQ(redis.run({"GET", "key"}), kNil);
  EXPECT_TRUE(told_.empty());
}

TEST_F(RedisTest, ARestartIsToldOnceEachWay) {
  Redis& redis = connect(server_.uri(), {.first_wait = milliseconds(1), .longest_wait = milliseconds(5)});
  EXPECT_EQ(redis.run({"SET", "key", "1"}), said("OK"));
  server_.kill();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(redis.run({"GET", "key"}), std::nullopt);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_[0].starts_with("-Redis at " + server_.uri() + " is away: ")) << told_[0];
  server_.start();
  test::eventually("Redis is back", [&] { return redis.run({"SET", "key", "2"}).has_value(); });
  EXPECT_EQ(redis.run({"GET", "key"}), said("2"));
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1], "+Redis at " + server_.uri() + " is back");
}

// The circuit: behind one call that waited in vain nobody else waits, nor is Redis asked at all.
TEST_F(RedisTest, AFrozenOneIsNotAskedAgainForAWhile) {
  Redis& redis = connect(server_.uri(), {.first_wait = hours(1), .longest_wait = hours(1)});
  EXPECT_EQ(redis.run({"SET", "key", "1"}), said("OK"));
  server_.signal(SIGSTOP);
  EXPECT_EQ(redis.run({"GET", "key"}), std::nullopt);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].find("does not answer"), std::string::npos) << told_[0];
  server_.signal(SIGCONT);
  EXPECT_EQ(server_.cli("GET", "key"), "1") << "it is awake";
  EXPECT_EQ(redis.run({"GET", "key"}), std::nullopt) << "and was asked within the wait";
}

TEST_F(RedisTest, AFrozenOneThatWasNeverReachedIsAway) {
  server_.signal(SIGSTOP);
  EXPECT_EQ(connect(server_.uri()).run({"PING"}), std::nullopt);
  EXPECT_EQ(told_.size(), 1U);
  server_.signal(SIGCONT);
}

TEST_F(RedisTest, AnErrorCountsAsBeingAway) {
  Redis& redis = connect(server_.uri(), {.first_wait = milliseconds(0), .longest_wait = milliseconds(0)});
  EXPECT_EQ(redis.run({"NOSUCHCOMMAND"}), std::nullopt);
  EXPECT_EQ(redis.run({"KEYS", "*"}), std::nullopt) << "arrays are not understood";
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_EQ(redis.run({"PING"}), said("PONG"));
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(RedisTest, AnInterruptEndsAWaitingCallAndAllLaterOnes) {
  Redis& redis = connect(server_.uri(), {.answer = hours(1)});
  EXPECT_EQ(redis.run({"PING"}), said("PONG"));
  server_.signal(SIGSTOP);
  std::optional<RedisReply> reply = said("still waiting");
  std::thread waiting([&] { reply = redis.run({"PING"}); });
  redis.interrupt();
  waiting.join();
  EXPECT_EQ(reply, std::nullopt);
  server_.signal(SIGCONT);
  EXPECT_EQ(redis.run({"PING"}), std::nullopt);
  EXPECT_TRUE(told_.empty()) << "it was we who ended it";
}

TEST(RedisUri, SaysWhereRedisIs) {
  const auto plain = parse_redis_uri("redis://host");
  EXPECT_EQ(plain.host, "host");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.database, 0);
  const auto full = parse_redis_uri("redis://me:p%40ss:w@[::1]:7/12");
  EXPECT_EQ(full.user, "me");
  EXPECT_EQ(full.password, "p@ss:w");
  EXPECT_EQ(full.host, "::1");
  EXPECT_EQ(full.port, 7);
  EXPECT_EQ(full.database, 12);
  EXPECT_EQ(without_password(full), "redis://[::1]:7");
  const auto socket = parse_redis_uri("unix:///run/redis.sock?db=2");
  EXPECT_EQ(socket.socket, "/run/redis.sock");
  EXPECT_EQ(socket.database, 2);
  EXPECT_EQ(without_password(socket), "unix:///run/redis.sock");
  EXPECT_EQ(parse_redis_uri("redis://host:1/").port, 1);
}

TEST(RedisUri, AWrongOneIsRefusedWithoutItsPassword) {
  for (const auto* wrong : {"", "host", "host:6379", "http://host", "redis://", "redis://host:0", "redis://host:65536",
                            "redis://host:", "redis://host/x", "redis://::1", "redis://a b", "unix://",
                            "unix://relative", "unix:///s?x=1", "unix:///s?db="}) {
    try {
      parse_redis_uri(wrong);
      ADD_FAILURE() << wrong << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("'" + std::string(wrong) + "' is no address")) << error.what();
    }
  }
  for (const auto* wrong : {"redis://:secret@host:0", "redis://secret@host", "redis://:secret%4@host", "redis://u:@h",
                            "redis://:secret", "redis://me:secret/0", ":secret", "redis:/:secret#host"}) {
    try {
      parse_redis_uri(wrong);
      ADD_FAILURE() << wrong << " was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace chat
