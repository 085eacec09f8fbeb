// What a journal tells of records that a power cut may have cost: how often that was so, and up to where it can't be.
#include <gtest/gtest.h>

#include <cerrno>

#include "plugin/journal/state.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

using Sync = JournalOptions::Sync;

JournalOptions with(Sync sync) {
  JournalOptions options = small_options(600);
  options.sync = sync;
  options.interval = std::chrono::hours(1);  // the test says when
  return options;
}

enum class End { kClose, kKill, kPowerCut };

// One life of the journal: a few records, then its end. Answers what it said of itself at its start.
std::int64_t live(FaultFileSystem& disk, std::mt19937_64& random, Sync sync, End end) {
  auto journal = open_journal(with(sync), disk);
  const auto losses = journal->losses();
  for (Seq seq = 1; seq <= 5; ++seq) EXPECT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  if (end == End::kKill) disk.kill();
  if (end == End::kPowerCut) disk.power_cut(random);
  journal.reset();
  disk.start();
  if (end == End::kPowerCut) change_boot(disk);
  return losses;
}

TEST(JournalLoss, OnlyAPowerCutUnderARunThatDidNotSyncAlwaysIsOne) {
  std::mt19937_64 random(test_seed());
  for (const auto sync : {Sync::kInterval, Sync::kNever}) {
    FaultFileSystem disk;
    EXPECT_EQ(live(disk, random, sync, End::kClose), 0);
    EXPECT_EQ(live(disk, random, sync, End::kKill), 0);
    EXPECT_EQ(live(disk, random, Sync::kAlways, End::kKill), 0);
    EXPECT_EQ(live(disk, random, Sync::kAlways, End::kPowerCut), 0);
    EXPECT_EQ(live(disk, random, sync, End::kPowerCut), 0);
    // What counts is how the run was that went down, not how the next one is.
    EXPECT_EQ(live(disk, random, Sync::kAlways, End::kPowerCut), 1);
    EXPECT_EQ(live(disk, random, sync, End::kPowerCut), 1);
    EXPECT_EQ(live(disk, random, sync, End::kKill), 2);
    EXPECT_EQ(live(disk, random, sync, End::kClose), 2);
    EXPECT_EQ(live(disk, random, sync, End::kPowerCut), 2);
    const auto journal = open_journal(with(sync), disk);
    EXPECT_EQ(journal->losses(), 3);
    EXPECT_TRUE(journal->power_cut());
    EXPECT_TRUE(journal->may_have_lost());
  }
}

TEST(JournalLoss, APowerCutUnderSyncAlwaysIsToldButIsNone) {
  std::mt19937_64 random(test_seed());
  FaultFileSystem disk;
  live(disk, random, Sync::kAlways, End::kPowerCut);
  const auto journal = open_journal(with(Sync::kNever), disk);
  EXPECT_TRUE(journal->power_cut());
  EXPECT_FALSE(journal->may_have_lost());
  EXPECT_EQ(journal->losses(), 0);
}

TEST(JournalLoss, AMachineThatIsTurnedOffBehindACleanCloseLosesNothing) {
  FaultFileSystem disk;
  std::mt19937_64 random(test_seed());
  live(disk, random, Sync::kNever, End::kClose);
  change_boot(disk);
  EXPECT_EQ(open_journal(with(Sync::kNever), disk)->losses(), 0);
}

// Without the state file nobody knows the count: it must come out above every earlier one.
TEST(JournalLoss, AMissingOrDamagedStateFileNeverLowersTheCount) {
  std::mt19937_64 random(test_seed());
  int damaged = 0;
  for (int round = 0; round < 100; ++round) {
    FaultFileSystem disk;
    std::int64_t highest = 0;
    bool must_rise = false;
    for (int life = 0; life < 12; ++life) {
      const auto sync = random() % 3 == 0 ? Sync::kAlways : Sync::kNever;
      const auto end = static_cast<End>(random() % 3);
      const auto losses = live(disk, random, sync, end);
      ASSERT_GE(losses, highest + (must_rise ? 1 : 0)) << "round " << round << ", life " << life;
      highest = losses;
      must_rise = end == End::kPowerCut && sync == Sync::kNever;
      if (random() % 3 != 0) continue;
      const std::string state = disk.content("/journal/state");
      switch (random() % 4) {
        case 0:
          ASSERT_EQ(disk.remove("/journal/state"), 0);
          break;
        case 1:
          disk.set_content("/journal/state", state.substr(0, state.find("sync ")));  // as before there was a count
          break;
        case 2:
          disk.set_content("/journal/state", state.substr(0, state.find("losses ")) + "losses many\n");
          break;
        default:
          disk.set_content("/journal/state", std::string(state.size(), '\0'));
          break;
      }
      must_rise = true;
      ++damaged;
    }
  }
  EXPECT_GT(damaged, 100);
}

TEST(JournalLoss, WhatLiesBelowSyncedSurvivesAnyPowerCut) {
  std::mt19937_64 random(test_seed());
  std::size_t synced_records = 0;
  std::size_t lost = 0;
  for (int round = 0; round < 200; ++round) {
    FaultFileSystem disk;
    auto journal = open_journal(with(Sync::kInterval), disk);
    std::vector<Position> given;
    for (int step = 0; step < 40; ++step) {
      if (random() % 8 == 0) {
        ASSERT_EQ(journal->sync_now(), 0);
      } else {
        Position position = 0;
        ASSERT_EQ(journal->append(small_message(step), &position), AppendResult::kOk);
        given.push_back(position);
      }
      ASSERT_LE(journal->synced(), journal->end());
    }
    const Position synced = journal->synced();
    disk.power_cut(random);
    journal.reset();
    disk.start();
    change_boot(disk);
    journal = open_journal(with(Sync::kInterval), disk);
    const ReadBack back = read_all(*journal, journal->begin());
    for (const Position position : given) {
      const bool there = std::any_of(back.records.begin(), back.records.end(),
                                     [&](const auto& record) { return record.first == position; });
      if (position < synced) {
        ASSERT_TRUE(there) << "round " << round << ", position " << position;
        ++synced_records;
      } else {
        lost += there ? 0 : 1;
      }
    }
  }
  EXPECT_GT(synced_records, 100U);
  EXPECT_GT(lost, 100U) << "the test is meant to lose what was not synced";
}

TEST(JournalLoss, SyncedFollowsTheSetting) {
  FaultFileSystem disk;
  for (const auto sync : {Sync::kAlways, Sync::kNever}) {
    const auto journal = open_journal(with(sync), disk);
    const Position start = journal->end();
    EXPECT_EQ(journal->synced(), start);
    for (Seq seq = 1; seq <= 10; ++seq) {
      ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
      EXPECT_EQ(journal->synced(), sync == Sync::kAlways ? journal->end() : start);
    }
  }
  // And what a killed process had left in the page cache was synced by the next one's start.
  auto journal = open_journal(with(Sync::kNever), disk);
  ASSERT_EQ(journal->append(small_message(11), nullptr), AppendResult::kOk);
  disk.kill();
  journal.reset();
  disk.start();
  journal = open_journal(with(Sync::kNever), disk);
  EXPECT_EQ(journal->synced(), journal->end());
}

// The kernel reports a failed sync once. It answered the second one, of the journal's end, with success, and the state
// file then said that all had been synced.
TEST(JournalLoss, BehindAFailedSyncNothingCountsAsSynced) {
  std::mt19937_64 random(test_seed());
  FaultFileSystem disk;
  auto journal = open_journal(with(Sync::kInterval), disk);
  const Position start = journal->synced();
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  disk.fail_sync(EIO);
  EXPECT_EQ(journal->sync_now(), EIO);
  EXPECT_EQ(journal->sync_now(), EIO);
  EXPECT_EQ(journal->synced(), start);
  journal.reset();
  JournalState state;
  ASSERT_EQ(read_state(disk, "/journal", &state), StateFile::kGood);
  EXPECT_FALSE(state.closed);
  EXPECT_EQ(disk.injected(), 1);
}

}  // namespace
}  // namespace chat
