// The thread that answers the core: behind barriers, in order, whatever becomes of the store.
#include "plugin/reader/reader.h"

#include <gtest/gtest.h>

#include "tests/core/support/fakes.h"
#include "tests/core/support/notices.h"
#include "tests/core/support/store_view.h"

namespace chat::test {
namespace {

class ReaderTest : public testing::Test {
 protected:
  ReaderTest() {
    for (const auto* user : {"alice", "bob"}) store_.add_user(user);
    progress_.on_advance([this] { reader_->progressed(); });
  }
  ~ReaderTest() override { reader_->stop(); }

  MemoryStore store_;
  FakeClock clock_;
  Notices notices_;
  Health health_{notices_.box()};
  Progress progress_;
  void load(const std::string& name, Position barrier = 0) {
    reader_->send({.body = LoadConversation{.name = name}, .barrier = barrier});
  }
  std::vector<std::string> loaded(std::size_t count) {
    std::vector<std::string> names;
    for (const auto& one : notices_.at_least<ConversationLoaded>(count, "the loads")) names.push_back(one.name);
    return names;
  }
  std::unique_ptr<StoreView> own_view_ = std::make_unique<StoreView>(store_);
  StoreView& view_ = *own_view_;
  std::unique_ptr<Reader> reader_ = std::make_unique<Reader>("reader", AnswerOptions{}, std::move(own_view_), clock_,
                                                             notices_.box(), health_, progress_);
};

// A conversation that is made in the store only after the request was sent: the load must not come before the barrier.
TEST_F(ReaderTest, ALoadIsAnsweredOnlyBehindItsBarrier) {
  reader_->start();
  progress_.advance(50);
  reader_->send({.body = LoadConversation{.name = "g:later"}, .barrier = 100});
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 50});
  notices_.at_least<UserLoaded>(1, "the request whose barrier is reached");
  EXPECT_TRUE(notices_.all<ConversationLoaded>().empty());
  progress_.advance(99);
  reader_->send({.body = LoadUser{.name = "bob"}, .barrier = 0});
  notices_.at_least<UserLoaded>(2, "another that need not wait");
  EXPECT_TRUE(notices_.all<ConversationLoaded>().empty());
  progress_.advance(100);
  notices_.at_least<ConversationLoaded>(1, "the load");
}

TEST_F(ReaderTest, AWaitingRequestHurriesThePersister) {
  reader_->start();
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 100});
  progress_.gather(std::chrono::minutes(1));  // returns at once, or the test takes a minute
  progress_.advance(100);
  notices_.at_least<UserLoaded>(1, "the load");
}

TEST_F(ReaderTest, RequestsWaitWhileTheStoreIsAwayAndNoneIsLost) {
  store_.set_available(false);
  reader_->start();
  for (int i = 0; i < 20; ++i) reader_->send({.body = LoadUser{.name = "user" + std::to_string(i)}, .barrier = 0});
  notices_.at_least<LogLine>(1, "PostgreSQL is away");
  store_.set_available(true);
  const auto& loaded = notices_.at_least<UserLoaded>(20, "all answers");
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(loaded[i].name, "user" + std::to_string(i));  // in the order of asking
}

// Somebody new comes while PostgreSQL comes back: the device is opened behind the load that makes the user.
TEST_F(ReaderTest, AnOutageBetweenTwoRequestsDoesNotTurnTheirOrder) {
  store_.fail_next(MemoryStore::Fault::kUnavailable);
  reader_->send({.body = LoadUser{.name = "newcomer"}, .barrier = 0});
  reader_->send({.body = OpenDevice{.user = "newcomer", .device = "n1", .generation = 1}, .barrier = 0});
  reader_->start();
  notices_.at_least<DeviceOpened>(1, "the device is opened");
  EXPECT_TRUE(notices_.all<DeviceRefused>().empty());
}

TEST_F(ReaderTest, ARefusedRequestIsToldAndHoldsUpNobody) {
  reader_->start();
  reader_->send({.body = OpenDevice{.user = "nobody", .device = "d", .generation = 7}, .barrier = 0});
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 0});
  const auto& refused = notices_.at_least<DeviceRefused>(1, "the refusal");
  EXPECT_EQ(refused[0].generation, 7U);
  EXPECT_NE(refused[0].reason.find("nobody"), std::string::npos);
  notices_.at_least<UserLoaded>(1, "the next answer");
}

TEST_F(ReaderTest, ARequestThatFailsHoldsUpNobody) {
  store_.fail_next(MemoryStore::Fault::kCorrupt);
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 0});
  reader_->send({.body = LoadUser{.name = "bob"}, .barrier = 0});
  reader_->start();
  const auto& loaded = notices_.at_least<UserLoaded>(2, "both answers");
  EXPECT_EQ(loaded[0].name, "bob");
  EXPECT_EQ(loaded[1].name, "alice");
}

// Whoever comes back to ten thousand conversations would else wait for as many commits.
TEST_F(ReaderTest, LoadsBehindEachOtherAreAnsweredTogetherInTheirOrder) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) load(names.emplace_back("g:" + std::to_string(i)));
  reader_->start();
  EXPECT_EQ(loaded(100), names);
  reader_->stop();
  ASSERT_EQ(view_.loads.size(), 2U);
  EXPECT_EQ(view_.loads[0].size(), 64U) << "others wait meanwhile: so many and no more";
}

// A device is opened behind the acknowledgements that came before it, and before what came behind it.
TEST_F(ReaderTest, LoadsAreNotTakenTogetherAcrossAnotherRequestOrABarrier) {
  load("g:1");
  load("g:2");
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 0});
  load("g:3");
  load("g:later", 100);
  load("g:4");
  reader_->start();
  EXPECT_EQ(loaded(4), (std::vector<std::string>{"g:1", "g:2", "g:3", "g:4"}));
  progress_.advance(100);
  EXPECT_EQ(loaded(5).back(), "g:later");
  reader_->stop();
  EXPECT_EQ(view_.loads, (std::vector<std::vector<std::string>>{{"g:1", "g:2"}, {"g:3"}, {"g:4"}, {"g:later"}}));
}

TEST_F(ReaderTest, WhatCannotBeAnsweredTogetherIsAnsweredAlone) {
  store_.fail_next(MemoryStore::Fault::kCorrupt);
  for (int i = 1; i <= 3; ++i) load("g:" + std::to_string(i));
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 0});
  load("g:4");
  load("g:5");
  reader_->start();
  EXPECT_EQ(loaded(5), (std::vector<std::string>{"g:1", "g:2", "g:3", "g:4", "g:5"}));
  reader_->stop();
  EXPECT_EQ(view_.loads,
            (std::vector<std::vector<std::string>>{{"g:1", "g:2", "g:3"}, {"g:1"}, {"g:2"}, {"g:3"}, {"g:4", "g:5"}}));
}

TEST_F(ReaderTest, LoadsThatMeetAnOutageKeepTheirOrder) {
  store_.fail_next(MemoryStore::Fault::kUnavailable);
  for (int i = 1; i <= 3; ++i) load("g:" + std::to_string(i));
  reader_->start();
  EXPECT_EQ(loaded(3), (std::vector<std::string>{"g:1", "g:2", "g:3"}));
}

TEST_F(ReaderTest, ItStopsWhileItWaitsForABarrierOrForTheStore) {
  reader_->start();
  reader_->send({.body = LoadUser{.name = "alice"}, .barrier = 100});
  reader_->stop();
  EXPECT_TRUE(notices_.all<UserLoaded>().empty());
}

}  // namespace
}  // namespace chat::test
