#include "plugin/reader/change_listener.h"

#include <gtest/gtest.h>

#include "tests/core/support/notices.h"
#include "tests/core/support/store_view.h"

namespace chat::test {
namespace {

class ChangeListenerTest : public testing::Test {
 protected:
  ChangeListenerTest() { store_.add_user("alice"); }
  std::vector<Change> heard(std::size_t count) {
    std::vector<Change> all;
    eventually("changes are heard", [&] {
      all.clear();
      for (const auto& changed : notices_.all<Changed>())
        all.insert(all.end(), changed.changes.begin(), changed.changes.end());
      return all.size() >= count;
    });
    return all;
  }
  MemoryStore store_;
  Notices notices_;
  Health health_{notices_.box()};
  ChangeListener listener_{std::make_unique<StoreView>(store_), notices_.box(), health_};
};

TEST_F(ChangeListenerTest, TheFirstWordIsThatAnythingMayHaveChangedThenEachChange) {
  listener_.start();
  EXPECT_EQ(heard(1)[0].kind, Change::Kind::kEverything);
  const auto conv = store_.create_group("", "alice", {}, 1);
  store_.set_device("alice", "a1", {.replay = {}, .replay_limit = {}, .ack = AckMode::kAuto});
  const auto all = heard(3);
  EXPECT_EQ(all[1].kind, Change::Kind::kConversation);
  EXPECT_EQ(all[1].name, conv);
  EXPECT_EQ(all[2].kind, Change::Kind::kDevice);
  EXPECT_EQ(all[2].device, "a1");
}

TEST_F(ChangeListenerTest, AfterAnOutageAnythingMayHaveChanged) {
  listener_.start();
  heard(1);
  store_.set_available(false);
  notices_.at_least<LogLine>(1, "PostgreSQL is away");
  store_.set_available(true);
  EXPECT_EQ(heard(2)[1].kind, Change::Kind::kEverything);
}

TEST_F(ChangeListenerTest, ItStopsWhileItListens) {
  listener_.start();
  heard(1);
  listener_.stop();
  listener_.stop();
}

}  // namespace
}  // namespace chat::test
