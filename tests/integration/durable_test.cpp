// Guarantee 2: a QoS 1 or 2 publish that the broker has acknowledged survives kill -9 of the broker at any instant;
// `sent` is only ever said after PostgreSQL has committed.
//
// The kill tests: senders publish QoS 1 messages without a break while the broker is killed twenty times and started
// again; PostgreSQL is up, stopped or frozen meanwhile. Afterwards everything is let through, and a checker compares
// the log of what was acknowledged with the rows in PostgreSQL.
#include <gtest/gtest.h>

#include "tests/support/message_load.h"
#include "tests/support/seed.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

constexpr int kKills = 20;

enum class Postgres { kUp, kStopped, kFrozen };

struct Variant {
  Postgres postgres;
  std::string name;
};
void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.name;
}

class Guarantee2Durable : public ::testing::TestWithParam<Variant> {};

TEST_P(Guarantee2Durable, EveryAcknowledgedMessageSurvivesTwentyKillsOfTheBroker) {
  const auto& [postgres, name] = GetParam();
  OperationLog log("durable-" + name);
  auto chance = generator("kills");
  Stack stack({.users = 10});
  const auto users = stack.new_users(4);
  std::vector<std::string> convs;
  for (int i = 0; i < 3; ++i) convs.push_back(stack.new_group(users[0], {users[1], users[2], users[3]}));

  // Every conversation is in use before PostgreSQL goes.
  MessageLoad load(stack.port(), users, convs, log);
  load.start();
  eventually("the load to run", [&] { return load.acknowledged() > 100; });
  if (postgres == Postgres::kStopped) stack.stop("postgres");
  if (postgres == Postgres::kFrozen) stack.freeze_postgres();

  for (int kill = 1; kill <= kKills; ++kill) {
    // Each time some messages after the broker is back, at an instant that nobody chose.
    const auto before = load.acknowledged();
    const auto more = std::uniform_int_distribution<int>(20, 80)(chance);
    eventually("messages between two kills", [&] { return load.acknowledged() > before + more; });
    log.add("kill", {{"number", kill}, {"acknowledged", load.acknowledged()}});
    stack.kill("broker");
    stack.start("broker");
  }
  if (postgres == Postgres::kStopped) stack.start("postgres");
  if (postgres == Postgres::kFrozen) stack.thaw_postgres();
  load.finish();

  // What comes behind everything else is stored behind everything else.
  Database database(stack.pg());
  ChatClient last(stack.port(), users[0]);
  last.connect();
  std::vector<StoredRow> rows;
  for (const auto& conv : convs) {
    const auto id = last.send(conv, "the last");
    log.add("published", {{"id", id}, {"conv", conv}});
    log.add("acknowledged", {{"id", id}, {"conv", conv}});
    last.sent(id);
  }
  for (const auto& conv : convs) {
    for (auto& row : stored_messages(database, conv)) rows.push_back(std::move(row));
  }

  EXPECT_EQ(log.count("kill"), static_cast<std::size_t>(kKills));
  EXPECT_GT(log.count("acknowledged"), static_cast<std::size_t>(kKills * 20));
  EXPECT_EQ(log.count("refused"), 0U);
  const auto found = problems(log, rows);
  for (std::size_t i = 0; i < found.size() && i < 20; ++i) ADD_FAILURE() << found[i];
  std::cout << "published " << log.count("published") << ", acknowledged " << log.count("acknowledged") << ", stored "
            << rows.size() << ", kills " << log.count("kill") << "\n";

  // A device that was away all the time is given every one of them.
  ChatClient away(stack.port(), users[1], {.acknowledge_every = 50});
  away.connect();
  for (const auto& conv : convs) {
    const auto stored = stored_count(database, conv);
    away.expect_through(conv, stored);
    EXPECT_EQ(static_cast<std::int64_t>(away.seqs(conv).size()), stored) << "some came twice";
  }
  if (HasFailure()) {
    std::cout << "operations: " << log.keep() << "\n" << stack.broker_log_tail();
  }
}

INSTANTIATE_TEST_SUITE_P(Kill, Guarantee2Durable,
                         ::testing::Values(Variant{Postgres::kUp, "PostgresUp"},
                                           Variant{Postgres::kStopped, "PostgresStopped"},
                                           Variant{Postgres::kFrozen, "PostgresFrozen"}),
                         [](const auto& variant) { return variant.param.name; });

// The canary: a checker that finds nothing wrong with a wrong table would make the above worthless.
TEST(TheChecker, FindsWhatIsWrong) {
  OperationLog log("canary");
  for (const char* id : {"a", "b", "c"}) {
    log.add("published", {{"id", id}, {"conv", "g:1"}});
    log.add("acknowledged", {{"id", id}, {"conv", "g:1"}});
  }
  log.add("published", {{"id", "d"}, {"conv", "g:1"}});
  log.add("refused", {{"id", "d"}, {"code", "storage_full"}});
  const auto row = [](std::int64_t seq, const std::string& id, std::int64_t time = 5) {
    return StoredRow{.conv = "g:1", .seq = seq, .server_time = time, .sender = "s", .id = id, .payload = "{}"};
  };
  EXPECT_TRUE(problems(log, {row(1, "a"), row(2, "b"), row(3, "c")}).empty());
  const std::vector<std::pair<std::string, std::vector<StoredRow>>> wrong{
      {"lost", {row(1, "a"), row(2, "b")}},
      {"hole", {row(1, "a"), row(3, "b"), row(4, "c")}},
      {"repeated seq", {row(1, "a"), row(1, "b"), row(2, "c")}},
      {"twice", {row(1, "a"), row(2, "b"), row(3, "c"), row(4, "c")}},
      {"order", {row(1, "b"), row(2, "a"), row(3, "c")}},
      {"time", {row(1, "a"), row(2, "b", 4), row(3, "c")}},
      {"refused", {row(1, "a"), row(2, "b"), row(3, "c"), row(4, "d")}},
      {"unknown", {row(1, "a"), row(2, "b"), row(3, "c"), row(4, "x")}},
  };
  for (const auto& [what, rows] : wrong) EXPECT_FALSE(problems(log, rows).empty()) << what;
}

}  // namespace
}  // namespace chat::test
