#include "plugin/core/recent_ids.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "plugin/core/sender_cache.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

TEST(RecentIdsTest, AgreesWithANaiveTwinOnRandomIds) {
  auto random = test::generator("recent ids");
  for (const std::size_t limit : {1U, 2U, 10U, 100U}) {
    RecentIds ids(limit);
    std::deque<std::pair<std::string, Seq>> twin;  // newest last
    for (Seq seq = 1; seq <= 5000; ++seq) {
      const auto id = "id-" + std::to_string(random() % (limit * 3));
      const auto* found = ids.find(IdHash(id));
      const auto expected =
          std::find_if(twin.begin(), twin.end(), [&](const auto& entry) { return entry.first == id; });
      ASSERT_EQ(found != nullptr, expected != twin.end()) << id << " of limit " << limit;
      if (found != nullptr) {
        EXPECT_EQ(found->seq, expected->second);
        continue;  // a retry is not remembered again
      }
      ids.remember({.hash = IdHash(id), .seq = seq});
      twin.emplace_back(id, seq);
      if (twin.size() > limit) twin.pop_front();
      ASSERT_EQ(ids.size(), twin.size());
    }
  }
}

TEST(RecentIdsTest, ThePayloadsHashTellsOnePayloadFromAnother) {
  const auto hash = RecentIds::payload_hash("{}");
  EXPECT_EQ(hash, RecentIds::payload_hash("{}"));
  EXPECT_NE(hash, RecentIds::payload_hash("{ }"));
}

class SenderCacheTest : public testing::Test {
 protected:
  std::shared_ptr<User> user(int number) {
    auto one = directory_.user("user" + std::to_string(number));
    kept_.push_back(one);
    return one;
  }
  Directory directory_;
  std::vector<std::shared_ptr<User>> kept_;
};

TEST_F(SenderCacheTest, ForgetsTheLeastRecentlyUsedBeyondItsBytes) {
  SenderCache cache(3 * SenderCache::kBytesPerSender + 1, 100);
  for (int i = 0; i < 3; ++i) cache.insert(user(i), {});
  EXPECT_NE(cache.find(user(0)), nullptr);  // now the latest used
  cache.insert(user(3), {});
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.find(user(1)), nullptr);
  EXPECT_NE(cache.find(user(0)), nullptr);
  EXPECT_NE(cache.find(user(2)), nullptr);
}

TEST_F(SenderCacheTest, RememberedIdsCountAndTheLastSenderIsNeverForgotten) {
  SenderCache cache(1, 1000);
  cache.insert(user(0), {});
  for (int i = 0; i < 500; ++i) cache.remember(user(0), {.hash = IdHash("id" + std::to_string(i)), .seq = i});
  EXPECT_EQ(cache.size(), 1U);
  ASSERT_NE(cache.find(user(0)), nullptr);
  EXPECT_EQ(cache.find(user(0))->size(), 500U);
  cache.insert(user(1), {});
  EXPECT_EQ(cache.find(user(0)), nullptr);
}

TEST_F(SenderCacheTest, WhatIsInMemoryIsNotPutBackByAnOlderAnswer) {
  SenderCache cache(1 << 20, 10);
  cache.insert(user(0), {});
  cache.remember(user(0), {.hash = IdHash("new"), .seq = 5});
  cache.insert(user(0), {});
  EXPECT_NE(cache.find(user(0))->find(IdHash("new")), nullptr);
}

TEST_F(SenderCacheTest, TheStoresAnswerIsTakenNewestLast) {
  SenderCache cache(1 << 20, 2);
  UserState state{.name = "user0", .recent = {}};
  for (int i = 1; i <= 3; ++i)
    state.recent.push_back({.id = std::to_string(i), .conv = "g:1", .conv_id = 1, .seq = i, .payload = "{}"});
  cache.insert(user(0), state);
  EXPECT_EQ(cache.find(user(0))->find(IdHash("1")), nullptr);
  EXPECT_EQ(cache.find(user(0))->find(IdHash("3"))->seq, 3);
  EXPECT_EQ(cache.find(user(0))->find(IdHash("3"))->payload_hash, RecentIds::payload_hash("{}"));
}

TEST(DirectoryTest, AUserLivesAsLongAsSomebodyNeedsIt) {
  Directory directory;
  auto bob = directory.user("bob");
  EXPECT_EQ(directory.find_user("bob"), bob);
  EXPECT_EQ(directory.user("bob"), bob);
  bob.reset();
  EXPECT_EQ(directory.find_user("bob"), nullptr);
  bob = directory.user("bob");
  EXPECT_EQ(directory.find_user("bob"), bob);
}

TEST(DirectoryTest, AUserMayOutliveTheDirectory) {
  std::shared_ptr<User> bob;
  {
    Directory directory;
    bob = directory.user("bob");
  }
  EXPECT_EQ(bob->name, "bob");
}

TEST(DirectoryTest, ASessionBelongsToOneConnection) {
  Directory directory;
  const int one = 1;
  const int two = 2;
  int dropped = 0;
  const auto count = [&](Session&) { ++dropped; };
  auto* first = &directory.touch({.handle = &one, .device = "d", .user = "bob"}, count);
  EXPECT_EQ(first, &directory.touch({.handle = &one, .device = "d", .user = "bob"}, count));
  EXPECT_EQ(directory.find(&one, "d"), first);
  EXPECT_EQ(directory.find(&two, "d"), nullptr);
  directory.touch({.handle = &two, .device = "d", .user = "bob"}, count);
  EXPECT_EQ(dropped, 1);
  EXPECT_EQ(directory.find(&one, "d"), nullptr);
  EXPECT_EQ(directory.find_user("bob")->sessions.size(), 1U);
  directory.erase(*directory.find_device("d"));
  EXPECT_EQ(directory.session_count(), 0U);
}

}  // namespace
}  // namespace chat
