// Presence on the whole system: who watches hears of each coming and going, once, and of nothing that was none;
// whatever of broker, bridge, PostgreSQL and Redis is killed, frozen or emptied.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

#include "tests/support/bridge_program.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

using nlohmann::json;

struct PresenceStack {
  static StackOptions options() { return {}; }
};

std::int64_t wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class Presence : public StackSuite<PresenceStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(4);
    alice_ = users[0];
    bob_ = users[1];
    carol_ = users[2];
    stranger_ = users[3];
    stack().new_group(alice_, {bob_, carol_});
  }

  void TearDown() override {
    if (HasFailure()) std::cout << run({"tail", "-n", "20", stack().folder() + "/bridge.log"}).out;
    StackSuite::TearDown();
  }

  // The answer, or the refusal of a request that found no bridge.
  static json ask(ChatClient& client, const std::string& operation, json fields = json::object()) {
    const auto id = client.new_id();
    fields["id"] = id;
    client.mqtt().publish("chat/rpc/" + operation, fields);
    return client.mqtt()
        .expect("the answer to " + operation, [&](const Message& message) { return field(message, "id") == id; })
        .json;
  }
  // Presence of one user, asked for.
  static json look(ChatClient& client, const std::string& user, bool watch = false) {
    json fields{{"users", {user}}};
    if (watch) fields["watch"] = true;
    json answer;
    eventually("an answer to presence.get", [&] {
      answer = ask(client, "presence.get", fields);
      return answer["code"] != "unavailable";  // a bridge has just started
    });
    EXPECT_EQ(answer["ok"], true) << answer;
    return answer["presence"][0];
  }
  static void look_until(ChatClient& client, const std::string& user, bool online) {
    eventually(user + (online ? " to be online" : " to be offline"),
               [&] { return look(client, user)["online"] == online; });
  }
  // A watcher who has seen these users online.
  std::unique_ptr<ChatClient> watcher(const std::vector<std::string>& users) {
    auto client = device(alice_);
    for (const auto& user : users) {
      look(*client, user, true);
      look_until(*client, user, true);
    }
    return client;
  }
  static bool about(const Message& message, const std::string& user) {
    return message.topic.ends_with("/presence") && field(message, "user") == user;
  }
  static json pushed(ChatClient& client, const std::string& user, bool online, std::size_t from = 0) {
    return client.mqtt()
        .expect(
            user + (online ? " told to be online" : " told to be offline"),
            [&](const Message& message) { return about(message, user) && message.json["online"] == online; }, from)
        .json;
  }
  static std::vector<bool> pushes(ChatClient& client, const std::string& user) {
    std::vector<bool> all;
    for (const auto& message : client.mqtt().received([&](const Message& m) { return about(m, user); })) {
      all.push_back(message.json["online"]);
    }
    return all;
  }
  static std::int64_t goings(ChatClient& client, const std::string& user) {
    const auto all = pushes(client, user);
    return std::count(all.begin(), all.end(), false);
  }

  static std::string redis(const std::vector<std::string>& words) {
    std::vector<std::string> command{"redis-cli", "-u", stack().value("CHAT_REDIS")};
    command.insert(command.end(), words.begin(), words.end());
    auto out = run(command).out;
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }
  static void await_lease(const std::string& user, bool wanted = true) {
    eventually("the lease of " + user, [&] {
      return redis({"EXISTS", "chat:presence:" + user}) == (wanted ? "1" : "0");
    });
  }
  static std::size_t times_in_bridge_log(const std::string& text) {
    const auto log = run({"cat", stack().folder() + "/bridge.log"}).out;
    std::size_t times = 0;
    for (std::size_t at = 0; (at = log.find(text, at)) != std::string::npos; at += text.size()) ++times;
    return times;
  }
  // Comings and goings are told, and requests answered.
  void expect_all_to_work() {
    const auto alice = device(alice_);
    auto bob = device(bob_);
    look(*alice, bob_, true);
    look_until(*alice, bob_, true);
    EXPECT_EQ(look(*alice, stranger_)["code"], "not_allowed");
    EXPECT_EQ(ask(*alice, "conversation.list")["conversations"].size(), 1U);
    EXPECT_TRUE(ask(*alice, "unread.get")["ok"]);
    const auto from = alice->mqtt().received_count();
    bob->mqtt().disconnect();
    pushed(*alice, bob_, false, from);
    EXPECT_EQ(look(*alice, bob_)["online"], false);
  }

  std::string alice_;
  std::string bob_;
  std::string carol_;
  std::string stranger_;
};

TEST_F(Presence, WhoWatchesHearsOfEachComingAndGoing) {
  const auto alice = device(alice_);
  EXPECT_EQ(look(*alice, bob_, true)["online"], false);
  EXPECT_EQ(look(*alice, bob_)["last_seen"], 0) << "never yet";
  const auto before = wall_clock();
  const auto phone = device(bob_);
  pushed(*alice, bob_, true);
  const auto tablet = device(bob_);
  phone->mqtt().disconnect();
  tablet->mqtt().drop();
  const auto gone = pushed(*alice, bob_, false);
  EXPECT_GE(gone["last_seen"], before);
  EXPECT_LE(gone["last_seen"], wall_clock());
  const auto told = look(*alice, bob_);
  EXPECT_EQ(told["online"], false);
  EXPECT_EQ(told["last_seen"], gone["last_seen"]);
  // No longer; and a second watcher, who comes later, shows that it was told.
  ask(*alice, "presence.get", {{"users", {bob_}}, {"watch", false}});
  const auto carol = device(carol_);
  look(*carol, bob_, true);
  const auto again = device(bob_);
  pushed(*carol, bob_, true);
  look_until(*alice, bob_, true);
  EXPECT_EQ(pushes(*alice, bob_), (std::vector<bool>{true, false}));
}

TEST_F(Presence, StrangersSeeAndHearNothing) {
  const auto mallory = device(stranger_);
  EXPECT_EQ(look(*mallory, bob_, true)["code"], "not_allowed");
  EXPECT_EQ(look(*mallory, "no-such-user")["code"], "not_found");
  const auto alice = device(alice_);
  look(*alice, bob_, true);
  const auto bob = device(bob_);
  pushed(*alice, bob_, true);
  EXPECT_TRUE(pushes(*mallory, bob_).empty());
}

// The same client id connects again, again and again: the broker ends the older connection each time.
TEST_F(Presence, TakeoverKeepsPresenceRight) {
  std::unique_ptr<ChatClient> bob = device(bob_, {.device = bob_ + "-phone"});
  const auto alice = watcher({bob_});
  for (int i = 0; i < 10; ++i) {
    auto next = device(bob_, {.device = bob_ + "-phone"});
    bob = std::move(next);
    EXPECT_EQ(look(*alice, bob_)["online"], true);
  }
  bob->mqtt().disconnect();
  pushed(*alice, bob_, false);
  EXPECT_EQ(goings(*alice, bob_), 1);
}

// A machine that loses its power sends no FIN: the broker finds out by the keepalive.
TEST_F(Presence, AHalfOpenConnectionEndsByItsKeepalive) {
  const auto alice = device(alice_);
  look(*alice, bob_, true);
  RawMqtt bob(port(), {.client_id = bob_ + "-phone", .user = bob_, .keepalive_s = 1});
  ASSERT_EQ(bob.connect(), 0);
  bob.subscribe("chat/u/" + bob_ + "/#", 1, 1);
  pushed(*alice, bob_, true);
  pushed(*alice, bob_, false);
}

// Goal: behind a crash of the broker those who come back never went, and those who don't, went when it crashed.
TEST_F(Presence, ABrokerCrashTurnsEverybodyOfflineWhoDoesNotComeBack) {
  auto bob = device(bob_, {.device = bob_ + "-phone"});
  auto carol = device(carol_);
  auto alice = watcher({bob_, carol_});
  const auto before = wall_clock();
  const auto lost = times_in_bridge_log("disconnected from");
  stack().kill("broker");
  eventually("the bridge to notice", [&] { return times_in_bridge_log("disconnected from") > lost; });
  const auto after = wall_clock();
  stack().start("broker");
  alice->connect();
  bob->connect();
  look(*alice, bob_, true);
  const auto gone = pushed(*alice, carol_, false);
  EXPECT_GE(gone["last_seen"], before);
  EXPECT_LE(gone["last_seen"], after);
  EXPECT_EQ(look(*alice, carol_)["last_seen"], gone["last_seen"]);
  EXPECT_EQ(goings(*alice, bob_), 0);
  EXPECT_EQ(look(*alice, bob_)["online"], true);
}

TEST_F(Presence, ABridgeThatIsKilledLeavesNoHole) {
  const auto bob = device(bob_);
  auto carol = device(carol_);
  const auto alice = watcher({bob_, carol_});
  const auto before = wall_clock();
  stack().kill("bridge");
  carol->mqtt().disconnect();
  stack().start("bridge");
  const auto gone = pushed(*alice, carol_, false);
  EXPECT_GT(gone["last_seen"], before - 60'000) << "when the bridge that was killed last knew her to be here";
  EXPECT_LE(gone["last_seen"], wall_clock());
  EXPECT_EQ(look(*alice, bob_)["online"], true);
  EXPECT_EQ(look(*alice, carol_)["last_seen"], gone["last_seen"]);
  EXPECT_EQ(goings(*alice, bob_), 0);
}

TEST_F(Presence, WithPostgresAwayChangesWaitAndAreToldThen) {
  auto bob = device(bob_);
  auto carol = device(carol_);
  const auto alice = watcher({bob_, carol_});
  await_lease(bob_);
  await_lease(carol_);
  stack().freeze_postgres();
  carol->mqtt().disconnect();
  await_lease(carol_, false);
  // The bridge waits for PostgreSQL with her: what it hears of others is in Redis all the same.
  bob->mqtt().disconnect();
  await_lease(bob_, false);
  EXPECT_EQ(goings(*alice, bob_), 0);
  stack().thaw_postgres();
  pushed(*alice, carol_, false);
  pushed(*alice, bob_, false);
}

TEST_F(Presence, RedisFlushLeavesNoHole) {
  const auto carol = device(carol_);
  await_lease(carol_);
  EXPECT_EQ(json::parse(redis({"GET", "chat:presence:" + carol_}))["user"], carol_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(redis({"FLUSHALL"}), "OK");
    const auto alice = device(alice_);
    EXPECT_EQ(look(*alice, carol_)["online"], true);
    await_lease(carol_);
  }
  expect_all_to_work();
}

TEST_F(Presence, WithoutRedisEverythingIsAnswered) {
  const auto away = times_in_bridge_log("is away");
  const auto back = times_in_bridge_log("is back");
  stack().kill("redis");
  eventually("the log's line", [&] { return times_in_bridge_log("is away") > away; });
  expect_all_to_work();
  EXPECT_EQ(times_in_bridge_log("is away"), away + 1);
  const auto carol = device(carol_);
  stack().start("redis");
  await_lease(carol_);
  EXPECT_EQ(times_in_bridge_log("is back"), back + 1);
}

TEST_F(Presence, AFrozenRedisStopsNobody) {
  const auto away = times_in_bridge_log("is away");
  stack().kill("redis", "STOP");
  eventually("the log's line", [&] { return times_in_bridge_log("is away") > away; });
  expect_all_to_work();
  const auto carol = device(carol_);
  stack().kill("redis", "CONT");
  await_lease(carol_);
}

TEST_F(Presence, ABridgeWithoutRedisAnswersAlike) {
  stack().stop("bridge");
  {
    const auto bridge = start_bridge(stack(), "without-redis");
    bridge->await_log("listening on");
    expect_all_to_work();
    EXPECT_EQ(bridge->log().find("Redis"), std::string::npos);
  }
  stack().start("bridge");
}

}  // namespace
}  // namespace chat::test
