// Goal: whatever many clients do at once, what each is told and answered in the end is what a naive model counts.
// Method: twenty clients (ten users, two devices each, both protocols) send, send again, read, recall, edit, react,
// delete, mute, come and go for a while, from a seed; two minutes where CHAT_LONG is set. Once with how everybody
// stands kept in Redis, which loses it all the time.
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "storage/redis/redis.h"
#include "tests/support/bridge_program.h"
#include "tests/support/crowd.h"
#include "tests/support/programs.h"
#include "tests/support/stack.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr int kUsers = 10;
constexpr int kGroups = 12;

std::chrono::seconds duration() {
  return std::chrono::seconds(std::getenv("CHAT_LONG") != nullptr ? 120 : 12);
}

void report(const std::vector<std::string>& wrong) {
  for (std::size_t i = 0; i < wrong.size() && i < 20; ++i) ADD_FAILURE() << wrong[i];
  EXPECT_EQ(wrong.size(), 0U) << "differences in all";
}

void run_crowd(Stack& stack) {
  Crowd crowd(stack, kUsers, kGroups);
  crowd.run(duration());
  crowd.settle();
  std::cout << crowd.summary() << "\n";
  for (const char* what : {"messages", "messages sent twice", "readings", "recalls", "edits", "reactions", "deletions",
                           "settings", "changes of membership", "reconnects", "typing"}) {
    EXPECT_GT(crowd.done(what), 0U) << "nobody did any " << what << ": the test tested less than it says";
  }
  report(answered_wrong(crowd));
  std::vector<std::string> wrong;
  try {
    eventually("what was pushed to be the model's", [&] {
      wrong = pushed_wrong(crowd);
      return wrong.empty();
    });
  } catch (const TimedOut&) {
    report(wrong);
  }
}

// Empties a Redis every two seconds until it goes.
class Flusher {
 public:
  explicit Flusher(const std::string& uri)
      : redis_(parse_redis_uri(uri), [](bool, const std::string&) {}), thread_([this] { run(); }) {}
  ~Flusher() {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  int flushes() {
    const std::scoped_lock lock(mutex_);
    return flushes_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::seconds(2), [this] { return ending_; })) {
      if (redis_.run({"FLUSHALL"})) ++flushes_;
    }
  }

  Redis redis_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  int flushes_ = 0;
  std::thread thread_;
};

int times_in(const std::string& text, const std::string& part) {
  int times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

TEST(Crowds, WhateverTwentyClientsDoUnreadReceiptsAndHistoryAreThoseOfANaiveModel) {
  Stack stack;
  run_crowd(stack);
}

TEST(Crowds, LikewiseWithWhatIsKeptInARedisThatIsEmptiedAllTheTime) {
  Stack stack;
  const auto uri = stack.value("CHAT_REDIS");
  stack.stop("bridge");
  const auto bridge = start_bridge(stack, "keeping", {"--redis", uri, "--standings-from", "1"});
  bridge->await_log("listening on");
  Flusher flusher(uri);
  run_crowd(stack);
  const auto used = times_in(bridge->log(), "of those kept in Redis");
  std::cout << flusher.flushes() << " flushes, " << used << " times what was kept was used\n";
  EXPECT_GT(flusher.flushes(), 5);
  // Under a sanitizer less is done in that time.
  EXPECT_GT(used, program_folder() == CHAT_TEST_BINARY_DIR ? 20 : 3);
}

}  // namespace
}  // namespace chat::test
