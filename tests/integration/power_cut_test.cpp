// Guarantee 2: a seq once seen is never given again, even after a power cut that took the message along.
//
// Method: what the disk would have kept is played by a copy of the journal's folder, made while PostgreSQL is away and
// before the last messages; behind a kill of the broker it takes the folder's place, and its state file names another
// boot of the machine.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kJump = 1 << 20;

struct PowerStack {
  static StackOptions options() { return {.users = 4}; }
};
using Guarantee2PowerCut = StackSuite<PowerStack>;

void name_another_boot(const fs::path& state) {
  std::ifstream in(state);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto boot = text.find("\nboot ") + 6;
  ASSERT_NE(boot, std::string::npos + 6) << text;
  text.replace(boot, text.find('\n', boot) - boot, "11111111-2222-3333-4444-555555555555");
  std::ofstream(state) << text;
}

TEST_F(Guarantee2PowerCut, ASeqThatADeviceSawIsNotGivenAgain) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const fs::path folder = fs::path(stack().folder()) / "journal";
  ASSERT_TRUE(fs::exists(folder / "state")) << folder;
  const fs::path medium = folder.string() + ".medium";
  auto sender = device(users[0]);
  auto receiver = device(users[1]);
  sender->sent(sender->send(conv, "stored"));
  stack().stop("postgres");
  sender->send(conv, "on the disk, not in PostgreSQL");
  receiver->expect_through(conv, 2);
  fs::copy(folder, medium);
  sender->send(conv, "seen, and lost");
  sender->send(conv, "seen, and lost, too");
  receiver->expect_through(conv, 4);

  stack().kill("broker");
  fs::remove_all(folder);
  fs::rename(medium, folder);
  name_another_boot(folder / "state");
  stack().start("postgres");
  stack().start("broker");

  sender = device(users[0]);
  receiver = device(users[1]);
  const auto next = sender->sent(sender->send(conv, "behind the power cut")).at("seq").get<std::int64_t>();
  EXPECT_EQ(next, 2 + kJump + 1);
  receiver->message(conv, next);
  receiver->acknowledge(conv, next);
  EXPECT_EQ(receiver->seqs(conv), (std::vector<std::int64_t>{1, 2, next}));
  EXPECT_TRUE(sender->errors().empty());
  auto looking = database();
  std::vector<std::int64_t> stored;
  for (const auto& row : stored_messages(looking, conv)) stored.push_back(row.seq);
  EXPECT_EQ(stored, (std::vector<std::int64_t>{1, 2, next}));
  EXPECT_NE(stack().broker_log_tail(200).find("not given again"), std::string::npos);

  // The next start, of a machine that stayed up, moves nothing.
  stack().kill("broker");
  stack().start("broker");
  sender = device(users[0]);
  EXPECT_EQ(sender->sent(sender->send(conv, "and on")).at("seq").get<std::int64_t>(), next + 1);
}

}  // namespace
}  // namespace chat::test
