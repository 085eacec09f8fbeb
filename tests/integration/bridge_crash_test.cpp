// Guarantee 9: with the bridge away, commands that were acknowledged wait, and are applied once and in order, whatever
// is killed when; what they have to say to a single user survives that too.
#include <gtest/gtest.h>
#include <signal.h>

#include <pqxx/pqxx>

#include "tests/support/bridge_program.h"
#include "tests/support/command_model.h"
#include "tests/support/commanding.h"
#include "tests/support/seed.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

constexpr const char* kRecalled = "message.recalled";

struct CrashStack {
  static StackOptions options() { return {}; }
};

class Guarantee9Bridge : public StackSuite<CrashStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = stack().new_group(alice_, {bob_});
    looking_ = std::make_unique<Database>(stack().pg());
  }

  std::int64_t outgoing() { return looking_->number("SELECT count(*) FROM outgoing"); }

  // A recall that will be refused is in PostgreSQL, and no bridge runs.
  std::string refused_recall(ChatClient& bob) {
    const auto alice = device(alice_);
    const auto seq = alice->sent(alice->send(conv_, "alice's own")).at("seq");
    stack().stop("bridge");
    auto id = give_command(bob, conv_, "recall", seq);
    eventually("the command in PostgreSQL", [&] { return commands_waiting(*looking_) == 1; });
    return id;
  }

  std::string alice_;
  std::string bob_;
  std::string conv_;
  std::unique_ptr<Database> looking_;
};

// One that reaches PostgreSQL and not the broker applies the command and can't say so: it is killed between the two.
TEST_F(Guarantee9Bridge, ARefusalSurvivesAKillBetweenApplyingAndPublishing) {
  const auto bob = device(bob_);
  const auto id = refused_recall(*bob);
  {
    const auto cut_off = start_bridge(stack(), "cut-off", {}, "mqtt://127.0.0.1:1");
    eventually("the command to be applied", [&] { return commands_waiting(*looking_) == 0; });
    EXPECT_EQ(outgoing(), 1);
    cut_off->signal(SIGKILL);
    EXPECT_EQ(cut_off->wait(), 128 + SIGKILL);
  }
  EXPECT_TRUE(bob->errors().empty());
  stack().start("bridge");
  EXPECT_EQ(bob->error_for(id).at("code"), "not_allowed");
  eventually("the end of the row", [&] { return outgoing() == 0; });
}

TEST_F(Guarantee9Bridge, ARefusalWaitsForTheBrokersReturn) {
  const auto bob = device(bob_);
  const auto id = refused_recall(*bob);
  stack().kill("broker");
  const auto own = start_bridge(stack(), "waiting");
  own->await_log("not connected to");
  eventually("the command to be applied", [&] { return commands_waiting(*looking_) == 0; });
  EXPECT_EQ(outgoing(), 1);
  own->signal(SIGSTOP);  // until bob is there to hear it
  stack().start("broker");
  bob->connect();
  own->signal(SIGCONT);
  EXPECT_EQ(bob->error_for(id).at("code"), "not_allowed");
  eventually("the end of the row", [&] { return outgoing() == 0; });
  own->signal(SIGTERM);
  EXPECT_EQ(own->wait(), 0);
  stack().start("bridge");
}

TEST_F(Guarantee9Bridge, TheSecondOfTwoBridgesTakesOver) {
  const auto bob = device(bob_);
  const auto second = start_bridge(stack(), "second");
  second->await_log("another bridge leads: standing by");
  bob->sent(bob->send(conv_, "one"));
  give_command(*bob, conv_, "recall", 1);
  event_about(*bob, kRecalled, conv_, 1);
  EXPECT_EQ(second->times_in_log("recall"), 0U) << "the first one is there for that";

  stack().kill("bridge");
  const auto killed = std::chrono::steady_clock::now();
  bob->send(conv_, "two");
  give_command(*bob, conv_, "recall", 2);
  event_about(*bob, kRecalled, conv_, 2);
  std::cout << "a recall given at the kill was applied after "
            << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - killed).count()
            << " ms\n";
  second->await_log("listening on");
  bob->mqtt().publish("chat/rpc/ping", std::string(R"({"id":"ping"})"));
  bob->mqtt().expect("the second one's answer", [](const Message& message) {
    return field(message, "id") == "ping" && message.json.contains("ok");
  });
  second->signal(SIGTERM);
  EXPECT_EQ(second->wait(), 0);
  stack().start("bridge");
}

TEST_F(Guarantee9Bridge, RecalledTextsAreKeptWhereTheBridgeIsToldTo) {
  const auto bob = device(bob_);
  stack().stop("bridge");
  const auto keeping = start_bridge(stack(), "keeping", {"--keep-recalled", "--recall-window", "0"});
  const auto alice = device(alice_);
  bob->sent(bob->send(conv_, "for the record"));
  looking_->query("UPDATE messages SET server_time = server_time - 1 WHERE sender = " + looking_->quote(bob_));
  EXPECT_EQ(bob->error_for(give_command(*bob, conv_, "recall", 1)).at("code"), "too_late");
  give_command(*alice, conv_, "recall", 1);
  event_about(*alice, kRecalled, conv_, 1);
  const auto kept = looking_->query(
      "SELECT r.seq, r.sender, r.recalled_by, r.payload::json->>'body' "
      "FROM recalled_messages r JOIN conversations c ON c.id = r.conv_id "
      "WHERE c.name = " +
      looking_->quote(conv_));
  EXPECT_EQ(kept, (std::vector<Row>{{"1", bob_, alice_, "for the record"}}));
  keeping->signal(SIGTERM);
  EXPECT_EQ(keeping->wait(), 0);
  stack().start("bridge");
}

// Senders that each own a conversation send messages, recall, edit and react without a break, while the bridge is
// killed twenty times. A naive model, which applies each one's commands in the order in which they were given, says
// what must be in PostgreSQL in the end: each message, each reaction, and each event once, in that order.
// Two transactions draw their rows' ids in one order and may commit in the other, as of a bridge that was killed in its
// COMMIT.
TEST_F(Guarantee9Bridge, WhatIsCommittedBehindALaterRowIsToldAllTheSame) {
  const auto bob = device(bob_);
  const auto say = [&](const std::string& what) {
    return "INSERT INTO outgoing (user_name, leaf, payload) VALUES ('" + bob_ + "', 'event', '{\"said\":\"" + what +
           "\"}')";
  };
  const auto hear = [&](const std::string& what) {
    bob->mqtt().expect(what, [&](const Message& one) {
      return one.topic == bob->own("event") && one.payload.find("\"" + what + "\"") != std::string::npos;
    });
  };
  pqxx::connection connection(stack().pg());
  pqxx::work first(connection);
  first.exec(say("first"));
  looking_->query(say("second"));
  hear("second");
  first.commit();
  hear("first");
  eventually("nothing to be told", [&] { return outgoing() == 0; });
}

TEST_F(Guarantee9Bridge, KilledTwentyTimesUnderLoadItAppliesCommandsOnceAndInOrder) {
  constexpr int kKills = 20;
  auto chance = generator("bridge kills");
  CommandLoad load(stack(), 3);
  load.start();
  int killed_in_work = 0;
  for (int kill = 1; kill <= kKills; ++kill) {
    const auto before = load.given();
    const auto more = std::uniform_int_distribution<std::size_t>(10, 60)(chance);
    eventually("commands between two kills", [&] { return load.given() > before + more; });
    stack().kill("bridge");
    if (commands_waiting(*looking_) > 0) ++killed_in_work;
    stack().start("bridge");
  }
  load.finish();
  eventually("all commands to be applied", [&] { return commands_waiting(*looking_) == 0; });
  EXPECT_GT(killed_in_work, 0) << "the kills met no work: the test tested nothing";
  const auto found = load.problems(*looking_);
  for (std::size_t i = 0; i < found.size() && i < 20; ++i) ADD_FAILURE() << found[i];
  std::cout << load.given() << " commands, " << load.events() << " events, " << load.refusals() << " refusals, "
            << kKills << " kills, " << killed_in_work << " of them with commands waiting\n";
}

}  // namespace
}  // namespace chat::test
