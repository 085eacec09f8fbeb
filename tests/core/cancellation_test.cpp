// Whether the broker's thread could be cancelled, and by what the C library is kept from getting ready for it.
#include "plugin/broker/cancellation.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <thread>
#include <utility>

namespace chat {
namespace {

std::pair<int, int> state_and_type() {
  std::pair<int, int> now;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &now.first);
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &now.second);
  pthread_setcanceltype(now.second, nullptr);
  pthread_setcancelstate(now.first, nullptr);
  return now;
}

TEST(UncancelledTest, IsAsynchronousAndDisabledAndAsBeforeBehindIt) {
  const auto before = state_and_type();
  {
    const Uncancelled uncancelled;
    EXPECT_EQ(state_and_type(), (std::pair<int, int>(PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ASYNCHRONOUS)));
  }
  EXPECT_EQ(state_and_type(), before);
}

TEST(UncancelledTest, AThreadThatIsCancelledGoesOnThroughItsSystemCalls) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  bool got_through = false;
  std::thread thread([&] {
    const Uncancelled uncancelled;
    char byte = 0;
    for (int i = 0; i < 2; ++i) got_through = read(ends[0], &byte, 1) == 1;
  });
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  pthread_cancel(thread.native_handle());
  ASSERT_EQ(write(ends[1], "y", 1), 1);
  thread.join();
  EXPECT_TRUE(got_through);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace chat
