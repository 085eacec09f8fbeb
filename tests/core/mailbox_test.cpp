#include "plugin/threads/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "plugin/threads/health.h"
#include "plugin/threads/progress.h"
#include "plugin/threads/worker.h"
#include "tests/support/wait.h"

namespace chat {
namespace {

TEST(MailboxTest, EverythingComesOnceAndInEachThreadsOrder) {
  Mailbox box;
  std::atomic<int> rings{0};
  box.on_post([&] { ++rings; });
  EXPECT_TRUE(box.empty());
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&box, number] {
      for (int i = 0; i < kEach; ++i)
        box.post(
            Committed{.up_to = static_cast<Position>(i), .acks = {}, .conversations = {{std::to_string(number), i}}});
    });
  }
  std::vector<Seq> next(kThreads, 0);
  int got = 0;
  test::eventually("all notices", [&] {
    for (auto& notice : box.take()) {
      const auto& [thread, seq] = std::get<Committed>(notice).conversations.at(0);
      EXPECT_EQ(seq, next[static_cast<std::size_t>(std::stoi(thread))]++);
      ++got;
    }
    return got == kThreads * kEach;
  });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(rings, kThreads * kEach);
  EXPECT_TRUE(box.empty());
}

TEST(HealthTest, SaysAwayAndBackOnceEachWhicheverThreadNotices) {
  Mailbox box;
  Health health(box);
  health.back();
  EXPECT_TRUE(box.empty());
  health.away("no route");
  health.away("no route");
  health.back();
  health.back();
  const auto lines = box.take();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(std::get<LogLine>(lines[0]).text.find("no route"), std::string::npos);
}

TEST(ProgressTest, AdvancingTellsItsListeners) {
  Progress progress;
  std::vector<Position> heard;
  progress.on_advance([&] { heard.push_back(progress.committed()); });
  EXPECT_TRUE(progress.reached(0));
  EXPECT_FALSE(progress.reached(5));
  progress.advance(5);
  EXPECT_TRUE(progress.reached(5));
  EXPECT_FALSE(progress.reached(6));
  EXPECT_EQ(heard, std::vector<Position>{5});
}

TEST(WorkerTest, IsStoppedWhileItSleepsAndMayBeStoppedOften) {
  Worker worker;
  std::atomic<bool> slept{false};
  worker.start("a name that is far too long", [&] { slept = !worker.sleep(std::chrono::hours(1)); });
  int woken = 0;
  worker.stop([&] { ++woken; });
  worker.stop();
  EXPECT_TRUE(slept);
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(worker.stopping());
}

}  // namespace
}  // namespace chat
