// Guarantee 10: the broker's thread waits for no network, no database and no lock that another thread can hold for
// long.
//
// PostgreSQL is frozen, or a table is locked, for as long as the test likes: whatever the broker is asked meanwhile
// must be answered while that lasts. A broker that waits for PostgreSQL would answer never.
#include <gtest/gtest.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "plugin/broker/time_slice.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct NeverWaitsStack {
  static StackOptions options() { return {.users = 40}; }
};

class Guarantee10BrokerNeverWaits : public StackSuite<NeverWaitsStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(3);
    alice_ = users[0];
    bob_ = users[1];
    carol_ = users[2];
    conv_ = stack().new_group(alice_, {bob_});
    cold_ = stack().new_group(alice_, {bob_});
    locked_out_ = stack().new_group(bob_);
    sender_ = device(alice_);
    receiver_ = device(bob_);
    sender_->sent(sender_->send(conv_, "in memory now"));
    receiver_->message(conv_, 1);
  }

  // Everything that a broker does, none of which may wait.
  void expect_everything_is_served() {
    RawMqtt pinging(port(), {.client_id = carol_ + "-ping", .user = carol_});
    EXPECT_EQ(pinging.connect(), 0);
    pinging.ping();
    pinging.expect(PacketType::kPingresp);

    // A conversation that is not in memory, a user nobody knows, a direct conversation that is new: they wait, aside.
    const auto parked = sender_->send(cold_, "parked");
    sender_->send_direct(carol_, "parked");
    sender_->send_direct("nobody-of-that-name", "parked");
    receiver_->mqtt().publish("chat/c/" + locked_out_ + "/delivered", std::string(R"({"seq":0})"));
    pinging.ping();
    pinging.expect(PacketType::kPingresp);

    // A device that comes has its subscription granted; what it missed comes later.
    ChatClient coming(port(), carol_);
    coming.connect();
    EXPECT_EQ(coming.mqtt().subscribe(message_topic(conv_)), kNotAuthorised);

    // Live chat and every other topic go on.
    const auto live = sender_->send(conv_, "live");
    receiver_->message_with_id(live);
    receiver_->acknowledge_all();
    receiver_->mqtt().subscribe("outside/#");
    sender_->mqtt().publish("outside/x", std::string("through"));
    receiver_->mqtt().expect("the other topic", [](const Message& message) { return message.payload == "through"; });
    sender_->mqtt().publish(message_topic(conv_), std::string("no json"));
    sender_->error("bad_json");
    pinging.ping();
    pinging.expect(PacketType::kPingresp);
    EXPECT_FALSE(sender_->has_sent(parked)) << "PostgreSQL answered: the test tested nothing";
    parked_ = parked;
  }

  void expect_the_rest_comes() {
    EXPECT_EQ(sender_->sent(parked_).at("seq"), 1);
    receiver_->message_with_id(parked_);
  }

  std::string alice_, bob_, carol_, conv_, cold_, locked_out_, parked_;
  std::unique_ptr<ChatClient> sender_, receiver_;
};

TEST_F(Guarantee10BrokerNeverWaits, WhilePostgresIsFrozen) {
  stack().freeze_postgres();
  expect_everything_is_served();
  stack().thaw_postgres();
  expect_the_rest_comes();
}

TEST_F(Guarantee10BrokerNeverWaits, WhilePostgresIsStopped) {
  stack().stop("postgres");
  expect_everything_is_served();
  stack().start("postgres");
  expect_the_rest_comes();
}

TEST_F(Guarantee10BrokerNeverWaits, WhileSomebodyLocksTheMessages) {
  TableLock lock(stack().pg(), "messages");
  expect_everything_is_served();
  lock.release();
  expect_the_rest_comes();
}

TEST_F(Guarantee10BrokerNeverWaits, WhileSomebodyLocksTheConversations) {
  TableLock lock(stack().pg(), "conversations");
  expect_everything_is_served();
  lock.release();
  expect_the_rest_comes();
}

TEST_F(Guarantee10BrokerNeverWaits, NeitherDoesItsEnd) {
  stack().freeze_postgres();
  sender_->send(conv_, "accepted");
  stack().stop("broker");  // SIGTERM; ./dev fails where it doesn't end
  stack().start("broker");
  stack().thaw_postgres();
  sender_->connect();
  EXPECT_EQ(sender_->sent(sender_->send(conv_, "next")).at("seq"), 3);
}

// A slow socket is not waited for either: see Guarantee4Offline for what its owner gets.
TEST_F(Guarantee10BrokerNeverWaits, WhileAClientDoesNotRead) {
  RawMqtt deaf(port(), {.client_id = bob_ + "-deaf", .user = bob_, .receive_buffer = 4096});
  ASSERT_EQ(deaf.connect(), 0);
  deaf.subscribe("chat/u/" + bob_ + "/#", 1, 1);
  deaf.subscribe(message_topic(conv_), 0, 2);
  const std::string body(4000, '.');
  for (int i = 0; i < 500; ++i) {
    sender_->mqtt().publish_async(message_topic(conv_), text(sender_->new_id(), body).dump(), nullptr);
  }
  const auto last = sender_->send(conv_, "behind them");
  const auto reading = device(bob_, {.acknowledge_every = 10});
  reading->message_with_id(last);
}

// How long a thread's turns are, in ns; 0 with a Linux that does not say.
std::uint64_t turn_of(pid_t thread) {
  SchedulingAttributes attributes;
  EXPECT_EQ(syscall(SYS_sched_getattr, thread, &attributes, sizeof attributes, 0), 0);
  return attributes.runtime_ns;
}

// What this Linux makes of the wish for the shortest.
std::uint64_t shortest_turn() {
  std::uint64_t turn = 0;
  std::thread([&turn] {
    SchedulingAttributes attributes;  // this thread's own niceness stays: to lower it takes a privilege
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
    attributes.runtime_ns = kShortestTurnNs;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
    turn = turn_of(0);
  }).join();
  return turn;
}

TEST_F(Guarantee10BrokerNeverWaits, OnlyTheBrokersThreadTakesShortTurns) {
  const auto broker = stack().broker_pid();
  const auto shortest = shortest_turn();
  const auto usual = turn_of(0);
  int others = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(broker) + "/task")) {
    const auto thread = static_cast<pid_t>(std::stol(entry.path().filename()));
    if (thread != broker) ++others;
    EXPECT_EQ(turn_of(thread), thread == broker ? shortest : usual);
  }
  EXPECT_GE(others, 5);
}

std::set<std::string> sockets_of(pid_t process, const std::string& thread) {
  std::set<std::string> sockets;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task/" + thread + "/fd")) {
    std::error_code gone;
    const auto what = std::filesystem::read_symlink(entry.path(), gone).string();
    if (what.starts_with("socket:")) sockets.insert(what);
  }
  return sockets;
}

// Asked of this machine and of what the broker has loaded, not of the code under test.
bool threads_can_have_descriptors_of_their_own(pid_t broker) {
  bool can = false;
  std::thread([&can] { can = syscall(SYS_close_range, ~0U - 1, ~0U, CLOSE_RANGE_UNSHARE) == 0; }).join();
  std::ifstream maps("/proc/" + std::to_string(broker) + "/maps");
  const std::string loaded{std::istreambuf_iterator<char>(maps), {}};
  return can && loaded.find("libtsan") == std::string::npos;
}

// For speed; and a descriptor that both had would be one that is closed on one side only.
TEST_F(Guarantee10BrokerNeverWaits, ItsThreadHasItsDescriptorsForItselfAlsoBehindARestart) {
  for (const bool restarted : {false, true}) {
    if (restarted) stack().restart("broker");
    const auto broker = stack().broker_pid();
    if (!threads_can_have_descriptors_of_their_own(broker)) GTEST_SKIP() << "needs Linux 5.9, and no ThreadSanitizer";
    ChatClient client(port(), carol_);
    client.connect();
    const auto its = sockets_of(broker, std::to_string(broker));
    EXPECT_GE(its.size(), 2U) << "its port and a client";
    int others = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(broker) + "/task")) {
      const auto thread = entry.path().filename().string();
      if (thread == std::to_string(broker)) continue;
      ++others;
      for (const auto& socket : sockets_of(broker, thread)) EXPECT_FALSE(its.contains(socket)) << thread;
    }
    EXPECT_GE(others, 5);
  }
}

}  // namespace
}  // namespace chat::test
