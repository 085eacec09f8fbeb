// Token buckets: exact in the long run and in a burst, whatever the clock does; and what is remembered of whom.
#include "plugin/core/rate_limit.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/core/support/fakes.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

// True: it was let through.
bool pass(TokenBucket& bucket, const Rate& rate, TimeMs now, std::int64_t cost = 1) {
  if (bucket.wait(rate, cost, now) > 0) return false;
  bucket.take(rate, cost);
  return true;
}

int passed_at(TokenBucket& bucket, const Rate& rate, TimeMs now, int tries) {
  int passed = 0;
  for (int i = 0; i < tries; ++i) passed += pass(bucket, rate, now) ? 1 : 0;
  return passed;
}

TEST(TokenBucketTest, ABurstPassesAtOnceAndThenTheRateToTheMillisecond) {
  const Rate rate{.per_second = 50, .burst = 200};
  TokenBucket bucket(rate, 0);
  EXPECT_EQ(passed_at(bucket, rate, 0, 1000), 200);
  EXPECT_FALSE(pass(bucket, rate, 19));
  EXPECT_EQ(bucket.wait(rate, 1, 19), 1);
  EXPECT_TRUE(pass(bucket, rate, 20));
  EXPECT_FALSE(pass(bucket, rate, 20));
  EXPECT_EQ(passed_at(bucket, rate, 1020, 1000), 50);
  EXPECT_EQ(passed_at(bucket, rate, 1'000'000'000'000, 1000), 200) << "a long rest fills it, and no more";
}

TEST(TokenBucketTest, ARateThatDoesNotDivideASecondLosesNothingToRounding) {
  const Rate rate{.per_second = 7, .burst = 1};
  TokenBucket bucket(rate, 0);
  int passed = 0;
  for (TimeMs now = 0; now < 100'000; ++now) passed += pass(bucket, rate, now) ? 1 : 0;
  EXPECT_GE(passed, 694) << "at most a millisecond of each is waited in vain";
  EXPECT_LE(passed, 701);
}

TEST(TokenBucketTest, AClockThatIsSetBackGivesNothingAndLocksNobodyOut) {
  const Rate rate{.per_second = 10, .burst = 10};
  TokenBucket bucket(rate, 5'000'000);
  EXPECT_EQ(passed_at(bucket, rate, 5'000'000, 100), 10);
  EXPECT_FALSE(pass(bucket, rate, 1'400'000)) << "an hour back";
  EXPECT_FALSE(pass(bucket, rate, 1'400'099));
  EXPECT_TRUE(pass(bucket, rate, 1'400'100));
}

TEST(TokenBucketTest, WhatIsLargerThanTheBurstNeedsAllOfIt) {
  const Rate rate{.per_second = 1000, .burst = 500};
  TokenBucket bucket(rate, 0);
  EXPECT_TRUE(pass(bucket, rate, 0, 60'000));
  EXPECT_FALSE(pass(bucket, rate, 499, 60'000));
  EXPECT_TRUE(pass(bucket, rate, 500, 60'000));
}

TEST(TokenBucketTest, TheLargestRatesDoNotOverflow) {
  const Rate rate{.per_second = kRateMost, .burst = kRateMost};
  TokenBucket bucket(rate, 0);
  EXPECT_TRUE(pass(bucket, rate, INT64_MAX / 2, kRateMost));
  EXPECT_FALSE(pass(bucket, rate, INT64_MAX / 2, 1));
  EXPECT_EQ(bucket.wait(rate, kRateMost, INT64_MAX / 2), 1000);
}

// In no window of time does more pass than burst + rate × time; and what is refused really was beyond that.
TEST(TokenBucketTest, NoWindowOfTimeLetsMoreThroughThanTheRateAndTheBurst) {
  auto random = generator("token bucket");
  for (int round = 0; round < 50; ++round) {
    const Rate rate{.per_second = std::uniform_int_distribution<std::int64_t>(1, 3000)(random),
                    .burst = std::uniform_int_distribution<std::int64_t>(1, 100)(random)};
    TokenBucket bucket(rate, 0);
    struct Pass {
      TimeMs at;
      std::int64_t cost;
    };
    std::vector<Pass> passes;
    TimeMs now = 0;
    for (int i = 0; i < 400; ++i) {
      now += std::uniform_int_distribution<TimeMs>(0, 30)(random);
      const auto cost = std::uniform_int_distribution<std::int64_t>(1, rate.burst)(random);
      const bool passed = pass(bucket, rate, now, cost);
      // The naive model: it fits where it keeps every window that ends now within the bound.
      std::int64_t sum = cost;
      bool fits = sum <= rate.burst;
      for (auto before = passes.rbegin(); before != passes.rend() && fits; ++before) {
        sum += before->cost;
        fits = sum * 1000 <= rate.burst * 1000 + (now - before->at) * rate.per_second;
      }
      ASSERT_EQ(passed, fits) << "round " << round << ", at " << now << " ms, cost " << cost << " of "
                              << rate.per_second << "/s burst " << rate.burst;
      if (passed) passes.push_back({now, cost});
    }
  }
}

TEST(RateTest, IsWrittenAsOffOrSoManyASecondWithABurst) {
  const auto rate = [](std::string_view text) { return parse_rate(text).value_or(Rate{-1, -1}); };
  EXPECT_FALSE(rate("off").limited());
  EXPECT_EQ(rate("50/s").per_second, 50);
  EXPECT_EQ(rate("50/s").burst, 50);
  EXPECT_EQ(rate("50/s burst 200").burst, 200);
  EXPECT_EQ(rate("1000000000/s burst 1").burst, 1);
  for (const auto* text : {"", "50", "0/s", "-1/s", "50/m", "50/s burst", "50/s burst 0", "50/s burst 1000000001",
                           "50/sburst 3", "1000000001/s", "1.5/s", "/s", "50/s burst 200 ", "on", "OFF"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
}

class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiter limiter(const RateLimits& limits) { return RateLimiter(limits, clock); }
  FakeClock clock;
};

TEST_F(RateLimiterTest, DevicesShareWhatTheirUserMaySendAndHaveABoundOfTheirOwn) {
  RateLimits limits;
  limits.user.messages = {.per_second = 1, .burst = 5};
  limits.device.messages = {.per_second = 1, .burst = 3};
  auto rates = limiter(limits);
  const auto send = [&](const char* user, const char* device) {
    return !rates.take(user, device, Spending::kMessage, 10);
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("alice", "a1"));
  const auto refusal = rates.take("alice", "a1", Spending::kMessage, 10);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, Code::kRateLimited);
  EXPECT_EQ(refusal->reason, "Device \"a1\" may send 1 messages a second and 3 at once: send it again in 1000 ms.");
  EXPECT_TRUE(send("alice", "a2")) << "what was refused took nothing of the user's";
  EXPECT_TRUE(send("alice", "a2"));
  EXPECT_FALSE(send("alice", "a2")) << "five of the user's";
  EXPECT_TRUE(send("bob", "b1")) << "nobody else feels it";
  EXPECT_TRUE(send("bob", "a1")) << "the client id of another user";
}

TEST_F(RateLimiterTest, WhoComesInTurnsIsMeasuredAlone) {
  RateLimits limits;
  limits.user.messages = {.per_second = 1, .burst = 2};
  auto rates = limiter(limits);
  const auto send = [&](const char* user) { return !rates.take(user, "a", Spending::kMessage, 1); };
  EXPECT_TRUE(send("alice"));
  EXPECT_TRUE(send("bob"));
  EXPECT_TRUE(send("alice"));
  EXPECT_FALSE(send("alice"));
  EXPECT_TRUE(send("bob"));
  EXPECT_FALSE(send("bob"));
}

TEST_F(RateLimiterTest, WhatNoDeviceSentIsNoDevices) {
  RateLimits limits;
  limits.user.messages = {.per_second = 1, .burst = 3};
  limits.device.messages = {.per_second = 1, .burst = 1};
  auto rates = limiter(limits);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(rates.take("alice", "", Spending::kMessage, 1));
  EXPECT_TRUE(rates.take("alice", "", Spending::kMessage, 1)) << "the user's all the same";
}

TEST_F(RateLimiterTest, OfSeveralReasonsTheLastOneToGoIsGiven) {
  RateLimits limits;
  limits.user = {.messages = {10, 1}, .requests = {}, .signs = {}, .bytes = {100, 100}};
  auto rates = limiter(limits);
  EXPECT_FALSE(rates.take("alice", "a", Spending::kMessage, 100));
  const auto of = [&](std::size_t bytes) {
    const auto refusal = rates.take("alice", "a", Spending::kMessage, bytes);
    return refusal ? refusal->reason : "";
  };
  EXPECT_EQ(of(50), "User \"alice\" may send 100 bytes a second and 100 at once: send it again in 500 ms.");
  EXPECT_EQ(of(5), "User \"alice\" may send 10 messages a second and 1 at once: send it again in 100 ms.");
}

TEST_F(RateLimiterTest, EachKindHasItsOwnAndBytesAreOfAll) {
  RateLimits limits;
  limits.user = {.messages = {1, 1}, .requests = {1, 1}, .signs = {1, 1}, .bytes = {100, 350}};
  auto rates = limiter(limits);
  EXPECT_FALSE(rates.take("alice", "a", Spending::kMessage, 100));
  EXPECT_FALSE(rates.take("alice", "a", Spending::kRequest, 100));
  EXPECT_FALSE(rates.take("alice", "a", Spending::kSign, 100));
  EXPECT_TRUE(rates.take("alice", "a", Spending::kMessage, 0));
  EXPECT_TRUE(rates.take("alice", "a", Spending::kRequest, 0));
  EXPECT_TRUE(rates.take("alice", "a", Spending::kSign, 0));
  clock.pass(1000);
  const auto refusal = rates.take("alice", "a", Spending::kMessage, 200);
  ASSERT_TRUE(refusal) << "of the bytes 50 were left, and 100 have come";
  EXPECT_EQ(refusal->reason, "User \"alice\" may send 100 bytes a second and 350 at once: send it again in 500 ms.");
  EXPECT_FALSE(rates.take("alice", "a", Spending::kMessage, 150)) << "what was refused took no message either";
}

TEST_F(RateLimiterTest, WhoeverIsBackWithinTheTimeGoesOnWhereTheyWereAndOthersAreForgotten) {
  RateLimits limits;
  limits.user.messages = {.per_second = 10, .burst = 20};
  limits.device.messages = {.per_second = 10, .burst = 10};
  auto rates = limiter(limits);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_FALSE(rates.take("user-" + std::to_string(i % 50), "device-" + std::to_string(i), Spending::kMessage, 1) &&
                 i < 50);
  }
  EXPECT_EQ(rates.size(), 5050U);
  clock.pass(999);
  for (int i = 0; i < 100; ++i) rates.tick();
  EXPECT_EQ(rates.size(), 5050U) << "none is full for certain";
  clock.pass(1);
  for (int i = 0; i < 100; ++i) rates.tick();
  EXPECT_EQ(rates.size(), 50U);
  EXPECT_TRUE([&] {
    int passed = 0;
    for (int i = 0; i < 100; ++i)
      passed += rates.take("user-1", "d" + std::to_string(i), Spending::kMessage, 1) ? 0 : 1;
    return passed == 10;
  }()) << "half of the user's burst has come back";
  clock.pass(2000);
  for (int i = 0; i < 100; ++i) rates.tick();
  EXPECT_EQ(rates.size(), 0U);
}

TEST_F(RateLimiterTest, AUserMayBeRefusedSoOftenAndIsForgottenLikeTheOthers) {
  RateLimits limits;
  limits.refusals = {.per_second = 10, .burst = 3};
  auto rates = limiter(limits);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rates.may_be_refused("alice"));
  EXPECT_FALSE(rates.may_be_refused("alice"));
  EXPECT_TRUE(rates.may_be_refused("bob"));
  clock.pass(100);
  EXPECT_TRUE(rates.may_be_refused("alice"));
  EXPECT_FALSE(rates.may_be_refused("alice"));
  EXPECT_EQ(rates.size(), 2U);
  clock.pass(300);
  rates.tick();
  EXPECT_EQ(rates.size(), 0U);
}

TEST_F(RateLimiterTest, WithoutLimitsNothingIsRememberedAndNothingRefused) {
  auto rates = limiter({});
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(rates.take("alice", "a", Spending::kMessage, 1 << 20));
    EXPECT_TRUE(rates.may_be_refused("alice"));
  }
  EXPECT_EQ(rates.size(), 0U);
}

}  // namespace
}  // namespace chat::test
