// The journal's way to the store, on the real journal in a folder of its own, through every fault that the store knows.
#include "plugin/persister/persister.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/core/support/notices.h"
#include "tests/core/support/store_view.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

using Fault = MemoryStore::Fault;

class PersisterTest : public testing::Test {
 protected:
  PersisterTest() {
    std::string folder = testing::TempDir() + "chat-persister-XXXXXX";
    folder_ = mkdtemp(folder.data());
    open();
    for (const auto* user : {"alice", "bob"}) store_.add_user(user);
    conv_ = *store_.load_conversation("dm:alice:bob", {});
  }
  ~PersisterTest() override {
    stop();
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open(std::uint64_t segment_bytes = 64U << 20) {
    JournalOptions options;
    options.folder = folder_ + "/journal";
    options.sync = JournalOptions::Sync::kNever;
    options.segment_bytes = segment_bytes;
    options.bytes_max = 1ULL << 30;
    JournalError error;
    journal_ = Journal::open(options, posix_file_system(), &error);
    ASSERT_TRUE(journal_) << error.what;
  }
  void start(PersisterOptions options = {}) {
    persister_ = std::make_unique<Persister>(options, *journal_, std::make_unique<StoreView>(store_), notices_.box(),
                                             health_, progress_, [this] { return floor_.load(); });
    persister_->start();
  }
  void stop() { persister_.reset(); }

  void append(int count = 1, std::size_t padding = 0) {
    for (int i = 0; i < count; ++i) {
      const Seq seq = ++seq_;
      MessageRecord record;
      record.message.conv_id = conv_.id;
      record.message.conv = conv_.name;
      record.message.seq = seq;
      record.message.server_time = 1000 + seq;
      record.message.sender = "alice";
      record.message.id = "m" + std::to_string(seq);
      record.message.payload = "{\"body\":\"" + std::string(padding, 'x') + "\"}";
      ASSERT_EQ(journal_->append(record, nullptr), AppendResult::kOk);
    }
    if (persister_) persister_->ring();
  }
  void wait_until_stored() {
    eventually("the store has the whole journal", [&] { return progress_.committed() == journal_->end(); });
  }
  // How often each seq was acknowledged.
  std::map<Seq, int> acked() {
    std::map<Seq, int> count;
    for (const auto& batch : notices_.all<Committed>()) {
      for (const auto& [user, json] : batch.acks) {
        EXPECT_EQ(user, "alice");
        const auto parsed = nlohmann::json::parse(json);
        for (const auto& ack : parsed.at("acks")) ++count[ack.at("seq")];
      }
    }
    return count;
  }
  void expect_each_once(Seq last) {
    const auto kept = store_.messages(conv_.name);
    ASSERT_EQ(kept.size(), static_cast<std::size_t>(last));
    for (Seq seq = 1; seq <= last; ++seq) EXPECT_EQ(kept[static_cast<std::size_t>(seq - 1)].seq, seq);
    const auto count = acked();
    EXPECT_EQ(count.size(), static_cast<std::size_t>(last));
    for (const auto& [seq, times] : count) EXPECT_EQ(times, 1) << "seq " << seq;
  }

  std::string folder_;
  std::unique_ptr<Journal> journal_;
  MemoryStore store_;
  ConversationState conv_;
  Notices notices_;
  Health health_{notices_.box()};
  Progress progress_;
  std::atomic<Position> floor_{UINT64_MAX};
  std::unique_ptr<Persister> persister_;
  Seq seq_ = 0;
};

TEST_F(PersisterTest, WhatIsJournaledBeforeAndWhileItRunsIsStoredAndAcknowledgedOnce) {
  append(10);
  start();
  append(10);
  wait_until_stored();
  append(1);
  wait_until_stored();
  expect_each_once(21);
}

TEST_F(PersisterTest, WithoutGatheringEachRingIsEnough) {
  start({.batch_records = 3, .batch_bytes = 4U << 20, .commit_interval_ms = 0});
  for (int i = 0; i < 50; ++i) {
    append(1);
    wait_until_stored();
  }
  append(100);
  wait_until_stored();
  expect_each_once(150);
}

TEST_F(PersisterTest, BehindAPauseNothingWaitsAndUnderLoadTransactionsAreAnIntervalApart) {
  start({.commit_interval_ms = 60'000});  // what waits for it waits until the test fails
  append(1);
  wait_until_stored();
  for (int i = 0; i < 20; ++i) append(1);
  progress_.hurry();
  wait_until_stored();
  expect_each_once(21);
  EXPECT_EQ(store_.commits(), 2);
}

TEST_F(PersisterTest, ABacklogIsStoredWithoutGathering) {
  append(100);
  start({.batch_records = 7, .commit_interval_ms = 60'000});
  wait_until_stored();
  expect_each_once(100);
  EXPECT_EQ(store_.commits(), 15);
}

TEST_F(PersisterTest, ACommitInDoubtThatHadHappenedIsAcknowledgedAndNotRepeated) {
  store_.fail_next_commit(Fault::kInDoubtDone);
  append(5);
  start();
  wait_until_stored();
  notices_.at_least<Committed>(1, "the notice of the commit");
  expect_each_once(5);
  EXPECT_EQ(store_.commits(), 1);
}

TEST_F(PersisterTest, ACommitInDoubtThatHadNotHappenedIsRepeated) {
  store_.fail_next_commit(Fault::kInDoubtNotDone);
  append(5);
  start();
  wait_until_stored();
  expect_each_once(5);
}

TEST_F(PersisterTest, AStoreThatIsAwayIsToldOnceAndWaitedFor) {
  store_.set_available(false);
  append(5);
  start();
  notices_.at_least<LogLine>(1, "PostgreSQL is away");
  append(5);
  store_.set_available(true);
  wait_until_stored();
  expect_each_once(10);
  std::vector<std::string> lines;
  for (const auto& line : notices_.at_least<LogLine>(2, "PostgreSQL is back")) lines.push_back(line.text);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find("away"), std::string::npos);
  EXPECT_NE(lines[1].find("back"), std::string::npos);
}

TEST_F(PersisterTest, AStoreThatContradictsItselfIsReportedAndTriedAgain) {
  store_.fail_next_commit(Fault::kCorrupt);
  append(3);
  start();
  wait_until_stored();
  expect_each_once(3);
  const auto& lines = notices_.all<LogLine>();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].level, LogLevel::kError);
}

TEST_F(PersisterTest, RandomFaultsLoseNothingAndRepeatNothing) {
  auto random = generator("persister faults");
  start({.batch_records = 7, .batch_bytes = 4U << 20, .commit_interval_ms = 0});
  for (int round = 0; round < 8; ++round) {
    const auto fault = static_cast<Fault>(random() % 3);
    if (random() % 2 == 0) {
      store_.fail_next(fault);
    } else {
      store_.fail_next_commit(fault);
    }
    append(static_cast<int>(1 + random() % 30));
    if (random() % 3 == 0) {
      stop();
      start({.batch_records = 7, .batch_bytes = 4U << 20, .commit_interval_ms = 0});
    }
  }
  wait_until_stored();
  const auto kept = store_.messages(conv_.name);
  ASSERT_EQ(kept.size(), static_cast<std::size_t>(seq_));
  // A stop inside a commit in doubt may cost its notice (the sender's retry gets it), never double one.
  for (const auto& [seq, times] : acked()) EXPECT_EQ(times, 1) << "seq " << seq;
}

TEST_F(PersisterTest, AStartAfterACrashGoesOnAtTheCheckpoint) {
  append(5);
  start();
  wait_until_stored();
  stop();
  append(5);
  journal_.reset();
  open();
  start();
  wait_until_stored();
  expect_each_once(10);
}

TEST_F(PersisterTest, TheJournalIsTrimmedBehindTheCommitButNotPastWhatIsParked) {
  journal_.reset();
  open(4096);
  append(1);
  const auto parked = journal_->end();
  floor_ = parked;
  append(200, 200);
  const auto before = journal_->begin();
  start({.batch_records = 20, .batch_bytes = 4U << 20, .commit_interval_ms = 0});
  wait_until_stored();
  eventually("the commits' trims are done", [&] { return store_.commits() >= 10; });
  EXPECT_EQ(journal_->begin(), before);
  EXPECT_LE(journal_->begin(), parked);
  floor_ = UINT64_MAX;
  append(1);
  eventually("the journal is trimmed", [&] { return journal_->begin() > before; });
  wait_until_stored();
  expect_each_once(202);
}

TEST_F(PersisterTest, TheWholeJournalMayBeParkedRecordsOnly) {
  start();
  ASSERT_EQ(
      journal_->append(ParkedRecord{.user = "alice", .device = "a", .topic = "t", .payload = "{}", .at = 1, .qos = 1},
                       nullptr),
      AppendResult::kOk);
  persister_->ring();
  wait_until_stored();
  EXPECT_TRUE(store_.messages(conv_.name).empty());
}

TEST_F(PersisterTest, AFolderThatIsAnOlderCopyIsNotGoneOnWith) {
  Batch batch;
  batch.journal = journal_->id();
  batch.from = journal_->begin();
  batch.to = journal_->end() + 1000;
  store_.commit(batch);
  start();
  const auto& lines = notices_.at_least<LogLine>(1, "a complaint");
  EXPECT_NE(lines[0].text.find("older copy"), std::string::npos) << lines[0].text;
  append(1);
  EXPECT_TRUE(store_.messages(conv_.name).empty());
}

TEST_F(PersisterTest, ItStopsWhileTheStoreIsAwayAndWhileItSleeps) {
  start();
  stop();
  store_.set_available(false);
  append(1);
  start();
  notices_.at_least<LogLine>(1, "PostgreSQL is away");
  stop();
}

}  // namespace
}  // namespace chat::test
