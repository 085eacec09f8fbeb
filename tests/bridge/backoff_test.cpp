#include "storage/backoff.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seed.h"

namespace chat {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, StepsDoubleUpToTheBoundAndStayThere) {
  Backoff backoff(milliseconds(100), milliseconds(1000), test::seed());
  for (const int step : {100, 200, 400, 800, 1000, 1000, 1000}) {
    const auto wait = backoff.next();
    EXPECT_GE(wait, milliseconds(step / 2));
    EXPECT_LE(wait, milliseconds(step));
  }
}

TEST(Backoff, ResetStartsOver) {
  Backoff backoff(milliseconds(100), milliseconds(10'000), test::seed());
  for (int i = 0; i < 5; ++i) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(100));
}

TEST(Backoff, WaitsDiffer) {
  Backoff backoff(milliseconds(60'000), milliseconds(60'000), test::seed());
  std::set<milliseconds> waits;
  for (int i = 0; i < 50; ++i) waits.insert(backoff.next());
  EXPECT_GT(waits.size(), 10u);
}

}  // namespace
}  // namespace chat
