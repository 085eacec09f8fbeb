// Guarantees 1, 10 and 11 beside foes: connections that speak MQTT wrongly in every way that a generator finds,
// mutated, cut off, lying about their length, half way through QoS 2, while three honest users chat. The broker stays
// up, nobody honest feels it, and nothing is stored of who is not a member. Six seconds; a minute where CHAT_LONG is
// set.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/support/packet_fuzzer.h"
#include "tests/support/seed.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct FuzzStack {
  static StackOptions options() { return {.users = 4}; }
};
using PacketFuzz = StackSuite<FuzzStack>;

constexpr int kFuzzers = 2;  // threads

std::chrono::seconds duration() {
  return std::chrono::seconds(std::getenv("CHAT_LONG") != nullptr ? 60 : 6);
}

// Lines of the broker's log that say what a callback threw.
int unhandled_events(const std::string& path) {
  std::ifstream log(path);
  int count = 0;
  for (std::string line; std::getline(log, line);) {
    if (line.find("could not be handled") == std::string::npos) continue;
    ++count;
    std::cout << line << "\n";
  }
  return count;
}

TEST_F(PacketFuzz, OddPacketsBringDownNothingAndReachNobody) {
  const auto honest = stack().new_users(3);
  // Names that no mutation makes an honest one of.
  const std::vector<std::string> foes{"foe-of-them-all-1", "foe-of-them-all-2", "foe-of-them-all-3"};
  stack().add_users(foes);
  const auto conv = stack().new_group(honest[0], {honest[1], honest[2]});
  const auto pit = stack().new_group(foes[0], {foes[1]});  // where foes may write: some of it is accepted
  FuzzTargets targets{
      .port = port(), .users = foes, .topics = {}, .filters = {"#", "+/#", "chat/#", "chat/rpc/#", "chat", "$SYS/#"}};
  targets.topics.reserve(100);
  targets.filters.reserve(20);
  for (const auto& where :
       {conv, pit, direct_conversation(honest[0], honest[1]), direct_conversation(foes[0], honest[0])}) {
    for (const auto* leaf : {"msg", "delivered", "read", "recall", "edit", "react", "typing", "odd"}) {
      targets.topics.push_back("chat/c/" + where + "/" + leaf);
    }
    targets.filters.push_back(message_topic(where));
  }
  for (int i = 0; i < 12; ++i) targets.topics.push_back(message_topic(pit));
  for (const auto& foe : foes) targets.topics.push_back(direct_topic(foe));
  targets.topics.insert(targets.topics.end(),
                        {"chat/ack", "chat/sync", "chat", "chat//", "chat/rpc/history", "chat/rpc/unread.get",
                         "chat/rpc/conversation.list", "chat/u/" + honest[0] + "/inbox",
                         "chat/u/" + foes[0] + "/order/forward", "outside/of/it", "$share/g/chat/c/" + conv + "/msg"});
  for (const auto& user : {honest[0], foes[0], foes[1]}) targets.filters.push_back("chat/u/" + user + "/#");

  const auto pid = stack().broker_pid();
  std::vector<std::unique_ptr<ChatClient>> clients;
  clients.reserve(honest.size());
  for (const auto& user : honest) clients.push_back(device(user, {.acknowledge_every = 5}));

  std::atomic<bool> over{false};
  std::vector<PacketFuzzer> fuzzers;
  fuzzers.reserve(kFuzzers);
  for (int i = 0; i < kFuzzers; ++i) fuzzers.emplace_back(targets, generator("fuzzer " + std::to_string(i)));
  std::vector<std::thread> threads;
  threads.reserve(kFuzzers);
  for (auto& fuzzer : fuzzers) {
    threads.emplace_back([&] {
      while (!over) fuzzer.one_connection();
    });
  }
  // Each sends one after the other's acknowledgement: what A says before B is numbered before it.
  std::vector<std::string> said;
  std::string trouble;
  const auto deadline = std::chrono::steady_clock::now() + duration();
  try {
    while (std::chrono::steady_clock::now() < deadline) said.push_back(clients[said.size() % 3]->send(conv, "honest"));
  } catch (const std::exception& problem) {
    trouble = problem.what();
  }
  over = true;
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(trouble, "");

  EXPECT_EQ(stack().broker_pid(), pid);
  EXPECT_EQ(::kill(pid, 0), 0) << "the broker is gone";
  EXPECT_EQ(unhandled_events(stack().value("CHAT_BROKER_LOG")), 0);
  const auto total = static_cast<std::int64_t>(said.size());
  for (const auto& client : clients) {
    client->expect_through(conv, total);
    std::vector<std::string> ids;
    std::int64_t last = 0;
    for (const auto& message : client->messages(conv)) {
      const auto seq = message.json.at("seq").get<std::int64_t>();
      EXPECT_LE(seq, last + 1) << client->user() << " got a message out of order";
      if (seq <= last) continue;  // again
      last = seq;
      ids.push_back(field(message, "id"));
    }
    EXPECT_EQ(ids, said) << client->user();
  }
  auto stored = database();
  expect_stored(stored, conv, total);
  EXPECT_EQ(stored.number("SELECT count(*) FROM (SELECT conv_id FROM messages GROUP BY conv_id"
                          " HAVING count(*) <> max(seq) OR min(seq) <> 1 OR count(DISTINCT seq) <> count(*)) holes"),
            0);
  EXPECT_EQ(stored.number("SELECT count(*) FROM messages m WHERE NOT EXISTS"
                          " (SELECT 1 FROM members b WHERE b.conv_id = m.conv_id AND b.user_name = m.sender)"),
            0)
      << "somebody who is no member was stored";
  EXPECT_GT(stored_count(stored, pit), 0)
      << "nothing of the foes was ever accepted: the fuzzer does not get past the door";

  FuzzCount all;
  for (const auto& fuzzer : fuzzers) {
    const auto& one = fuzzer.count();
    all.connections += one.connections;
    all.packets += one.packets;
    all.mutated += one.mutated;
    all.welcomed += one.welcomed;
    all.cut += one.cut;
  }
  std::cout << all.packets << " packets (" << all.mutated << " mutated) over " << all.connections << " connections, "
            << all.welcomed << " of them welcomed, " << all.cut << " ended by the broker; " << said.size()
            << " honest messages, " << stored_count(stored, pit) << " of the foes' own stored\n";
  EXPECT_GT(all.welcomed, 20U);
  EXPECT_GT(all.mutated, 100U);
  EXPECT_GT(all.cut, 10U);
  EXPECT_GT(total, 20);
}

}  // namespace
}  // namespace chat::test
