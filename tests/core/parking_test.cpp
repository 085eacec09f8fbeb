#include "plugin/core/parking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/seed.h"

namespace chat {
namespace {

class ParkingTest : public testing::Test {
 protected:
  std::shared_ptr<Parked> park(Position position, std::size_t bytes = 1) {
    parking_.reserve(position);
    ParkedRecord record;
    record.payload.assign(bytes, 'x');
    return parking_.add(position, nullptr, std::move(record));
  }
  Parking parking_;
};

TEST_F(ParkingTest, TheFloorIsTheOldestThatIsNotFinished) {
  EXPECT_EQ(parking_.floor(), Parking::kNothingParked);
  const auto one = park(10);
  const auto two = park(20);
  const auto three = park(30);
  EXPECT_EQ(parking_.floor(), 10U);
  parking_.finish(*two);
  EXPECT_EQ(parking_.floor(), 10U);
  parking_.finish(*one);
  EXPECT_EQ(parking_.floor(), 30U);
  parking_.finish(*one);  // twice is once
  parking_.finish(*three);
  EXPECT_EQ(parking_.floor(), Parking::kNothingParked);
  EXPECT_EQ(parking_.size(), 0U);
}

TEST_F(ParkingTest, AReservedPositionHoldsTheFloorUntilItIsGivenBack) {
  parking_.reserve(40);
  EXPECT_EQ(parking_.floor(), 40U);
  parking_.publish_floor();
  EXPECT_EQ(parking_.floor(), Parking::kNothingParked);
  const auto one = park(50);
  parking_.reserve(60);
  EXPECT_EQ(parking_.floor(), 50U);
}

TEST_F(ParkingTest, TheFloorAgreesWithANaiveTwinOnRandomUse) {
  auto random = test::generator("parking");
  std::vector<std::shared_ptr<Parked>> open;
  std::set<Position> twin;
  for (Position position = 1; position < 5000; ++position) {
    if (open.empty() || random() % 2 == 0) {
      open.push_back(park(position));
      twin.insert(position);
    } else {
      const auto chosen = open.begin() + static_cast<std::ptrdiff_t>(random() % open.size());
      parking_.finish(**chosen);
      twin.erase((*chosen)->position);
      open.erase(chosen);
    }
    ASSERT_EQ(parking_.floor(), twin.empty() ? Parking::kNothingParked : *twin.begin());
    ASSERT_EQ(parking_.size(), twin.size());
  }
}

TEST_F(ParkingTest, TakeAnswersOldestFirstEachOnceAndNotTheFinished) {
  const auto one = park(1);
  const auto two = park(2);
  const auto three = park(3);
  for (const auto& parked : {three, one, two, one}) parking_.wait_for(parked, "c/x");
  parking_.wait_for(one, "u/y");
  parking_.finish(*two);
  EXPECT_EQ(parking_.take("c/x"), (std::vector{one, three}));
  EXPECT_TRUE(parking_.take("c/x").empty());
  EXPECT_EQ(parking_.take("u/y"), std::vector{one});
  EXPECT_TRUE(parking_.take("never").empty());
}

TEST_F(ParkingTest, WhatTheStoreHasIsToldOnceAndInOrder) {
  parking_.became_record(10, 100);
  parking_.became_record(30, 120);
  parking_.became_record(20, 140);
  EXPECT_TRUE(parking_.take_stored(99).empty());
  EXPECT_EQ(parking_.take_stored(120), (std::vector<Position>{10, 30}));
  EXPECT_TRUE(parking_.take_stored(120).empty());
  EXPECT_EQ(parking_.take_stored(500), std::vector<Position>{20});
}

TEST_F(ParkingTest, RoomIsBoundedInCountAndBytesAndGivenBack) {
  const auto large = park(1, Parking::kBytesMax - 10);
  EXPECT_TRUE(parking_.has_room(10));
  EXPECT_FALSE(parking_.has_room(11));
  parking_.finish(*large);
  EXPECT_TRUE(parking_.has_room(Parking::kBytesMax));
  std::vector<std::shared_ptr<Parked>> many;
  for (std::size_t i = 0; i < Parking::kCountMax; ++i) many.push_back(park(10 + i, 0));
  EXPECT_FALSE(parking_.has_room(0));
  parking_.finish(*many[500]);
  EXPECT_TRUE(parking_.has_room(0));
}

}  // namespace
}  // namespace chat
