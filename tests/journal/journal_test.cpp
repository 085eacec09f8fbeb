// What a journal promises from one opening to the next.
#include "plugin/journal/journal.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "plugin/journal/checksum.h"
#include "plugin/journal/format.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

TEST(Journal, GivesBackWhatWasAppendedInOrder) {
  std::mt19937_64 random(test_seed());
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(2000), disk);
  EXPECT_EQ(journal->begin(), journal->end());
  EXPECT_FALSE(journal->power_cut());
  std::vector<std::pair<Position, Record>> twin;
  for (int i = 0; i < 200; ++i) {
    const Record record = random_record(random);
    Position position = 0;
    ASSERT_EQ(append(*journal, record, &position), AppendResult::kOk);
    twin.emplace_back(position, as_read(record, position));
  }
  const ReadBack back = read_all(*journal, journal->begin());
  EXPECT_EQ(back.records, twin);
  EXPECT_TRUE(back.corrupt.empty());
  EXPECT_EQ(back.position, journal->end());
  EXPECT_GT(disk.paths().size(), 10U) << "the test is meant to cross segments";
}

TEST(Journal, PositionsRiseAndStayAcrossReopening) {
  FaultFileSystem disk;
  std::vector<std::pair<Position, Record>> twin;
  Uuid id{};
  Position end = 0;
  for (int run = 0; run < 5; ++run) {
    const auto journal = open_journal(small_options(300), disk);
    EXPECT_FALSE(journal->power_cut());
    EXPECT_EQ(journal->cut_bytes(), 0U);
    if (run > 0) {
      EXPECT_EQ(journal->id(), id);
    }
    if (run > 0) {
      EXPECT_EQ(journal->end(), end);
    }
    id = journal->id();
    for (int i = 0; i < 10; ++i) {
      Position position = 0;
      ASSERT_EQ(append(*journal, small_message(run * 10 + i), &position), AppendResult::kOk);
      if (!twin.empty()) {
        EXPECT_GT(position, twin.back().first);
      }
      EXPECT_GT(position, 0U);
      twin.emplace_back(position, small_message(run * 10 + i));
    }
    end = journal->end();
    EXPECT_EQ(read_all(*journal, journal->begin()).records, twin);
  }
}

TEST(Journal, ACrashOfTheProcessIsNoPowerCutAndLosesNothing) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  const Position end = journal->end();
  disk.kill();
  journal.reset();
  disk.start();
  journal = open_journal(small_options(), disk);
  EXPECT_FALSE(journal->power_cut());
  EXPECT_EQ(journal->end(), end);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 1U);
}

TEST(Journal, APowerCutIsToldAndItsPositionsAreNotGivenAgain) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  ASSERT_EQ(journal->sync_now(), 0);
  ASSERT_EQ(journal->append(small_message(2), nullptr),
            AppendResult::kOk);  // the persister may have committed this one
  const Position committed = journal->end();
  const Uuid id = journal->id();
  std::mt19937_64 random(1);
  disk.power_cut(random);
  journal.reset();
  disk.start();
  change_boot(disk);

  journal = open_journal(small_options(), disk);
  EXPECT_TRUE(journal->power_cut());
  EXPECT_EQ(journal->id(), id);
  Position position = 0;
  ASSERT_EQ(journal->append(small_message(3), &position), AppendResult::kOk);
  EXPECT_GT(position, committed);
  // From the checkpoint, which lies in the gap, the reader goes straight on to what is new.
  const ReadBack back = read_all(*journal, committed);
  EXPECT_TRUE(back.corrupt.empty()) << back.corrupt.front();
  ASSERT_EQ(back.records.size(), 1U);
  EXPECT_EQ(back.records[0].first, position);
  // From the very beginning, too, the gap is no damage.
  EXPECT_TRUE(read_all(*journal, journal->begin()).corrupt.empty());
}

TEST(Journal, ASegmentLostWithAllInItTakesItsPositionsAlong) {
  FaultFileSystem disk;
  Position highest = 0;
  for (int life = 0; life < 4; ++life) {
    auto journal = open_journal(small_options(), disk);
    Position position = 0;
    ASSERT_EQ(journal->append(small_message(life), &position), AppendResult::kOk);
    EXPECT_GT(position, highest) << "life " << life;
    highest = position;
    journal->trim(journal->end());
    disk.kill();
    journal.reset();
    disk.start();
    change_boot(disk);
    for (const std::string& segment : disk.paths()) {
      if (segment.ends_with(".seg")) disk.set_content(segment, "");
    }
  }
}

TEST(Journal, WhatAKilledProcessLeftUnsyncedIsSyncedByTheNext) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(300), disk);
  for (Seq seq = 1; seq <= 10; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  disk.kill();
  journal.reset();
  disk.start();
  journal = open_journal(small_options(300), disk);
  std::mt19937_64 random(test_seed());
  disk.power_cut(random);
  journal.reset();
  disk.start();
  journal = open_journal(small_options(300), disk);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 10U);
}

TEST(Journal, ACleanCloseBeforeAMachineGoesDownIsNoPowerCut) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  const Position end = journal->end();
  journal.reset();
  std::mt19937_64 random(1);
  disk.power_cut(random);  // a clean close left nothing to lose
  disk.start();
  change_boot(disk);
  journal = open_journal(small_options(), disk);
  EXPECT_FALSE(journal->power_cut());
  EXPECT_EQ(journal->end(), end);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 1U);
}

TEST(Journal, WithoutItsStateFileItAssumesThePowerCut) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  const Uuid id = journal->id();
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  journal.reset();
  ASSERT_EQ(disk.remove("/journal/state"), 0);
  journal = open_journal(small_options(), disk);
  EXPECT_TRUE(journal->power_cut());
  EXPECT_EQ(journal->id(), id);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 1U);
}

TEST(Journal, SecondOpenerIsRefusedUntilTheFirstIsGone) {
  TempFolder folder;
  JournalOptions options = small_options();
  options.folder = folder.path() + "/journal";
  auto first = open_journal(options, posix_file_system());
  JournalError error;
  EXPECT_EQ(Journal::open(options, posix_file_system(), &error), nullptr);
  EXPECT_NE(error.what.find("in use"), std::string::npos) << error.what;
  EXPECT_NE(error.what.find(options.folder), std::string::npos) << error.what;
  first.reset();
  EXPECT_NE(open_journal(options, posix_file_system()), nullptr);
}

TEST(Journal, WorksOnTheRealDiskToo) {
  for (const auto sync :
       {JournalOptions::Sync::kAlways, JournalOptions::Sync::kInterval, JournalOptions::Sync::kNever}) {
    TempFolder folder;
    JournalOptions options = small_options(4000);
    options.folder = folder.path() + "/journal";
    options.sync = sync;
    options.interval = std::chrono::milliseconds(1);
    std::vector<std::pair<Position, Record>> twin;
    for (int run = 0; run < 3; ++run) {
      const auto journal = open_journal(options, posix_file_system());
      EXPECT_EQ(read_all(*journal, journal->begin()).records, twin);
      for (int i = 0; i < 100; ++i) {
        Position position = 0;
        ASSERT_EQ(append(*journal, small_message(i), &position), AppendResult::kOk) << journal->last_error();
        twin.emplace_back(position, small_message(i));
      }
      EXPECT_EQ(journal->sync_now(), 0);
    }
  }
}

TEST(Journal, AFolderThatCannotBeMadeIsNamed) {
  JournalOptions options = small_options();
  options.folder = "/nonexistent-parent/journal";
  JournalError error;
  EXPECT_EQ(Journal::open(options, posix_file_system(), &error), nullptr);
  EXPECT_NE(error.what.find(options.folder), std::string::npos) << error.what;
}

TEST(Journal, ANewerFormatIsRefusedWithItsVersion) {
  FaultFileSystem disk;
  open_journal(small_options(), disk).reset();
  const std::string path = "/journal/" + segment_name(kFirstPosition);
  std::string bytes = disk.content(path);
  bytes[8] = 9;
  const std::uint32_t crc = [&] {
    std::string sealed = bytes.substr(0, 60);
    return crc32c(sealed.data(), sealed.size());
  }();
  bytes.replace(60, 4, reinterpret_cast<const char*>(&crc), 4);
  disk.set_content(path, bytes);
  JournalError error;
  EXPECT_EQ(Journal::open(small_options(), disk, &error), nullptr);
  EXPECT_NE(error.what.find("version 9"), std::string::npos) << error.what;
  EXPECT_EQ(disk.content(path), bytes);
}

TEST(Journal, ANewerStateFileIsRefused) {
  FaultFileSystem disk;
  open_journal(small_options(), disk).reset();
  disk.set_content("/journal/state", "mosquitto-chat journal 2\nsomething else\n");
  JournalError error;
  EXPECT_EQ(Journal::open(small_options(), disk, &error), nullptr);
  EXPECT_NE(error.what.find("newer"), std::string::npos) << error.what;
}

TEST(Journal, SegmentsOfAnotherJournalAreRefused) {
  FaultFileSystem disk;
  FaultFileSystem elsewhere;
  open_journal(small_options(), disk).reset();
  open_journal(small_options(), elsewhere).reset();
  const std::string path = "/journal/" + segment_name(kFirstPosition);
  disk.set_content(path, elsewhere.content(path));
  JournalError error;
  EXPECT_EQ(Journal::open(small_options(), disk, &error), nullptr);
  EXPECT_FALSE(error.what.empty());
}

TEST(Journal, AFailedSyncStopsItBecauseTheKernelReportsOnce) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  disk.fail_sync(EIO);
  EXPECT_EQ(journal->sync_now(), EIO);
  EXPECT_EQ(journal->append(small_message(2), nullptr), AppendResult::kBroken);
  EXPECT_EQ(journal->append(small_message(3), nullptr), AppendResult::kBroken);
  EXPECT_FALSE(journal->last_error().empty());
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 1U) << "what was accepted can still be stored";
}

TEST(Journal, WhoCannotGetAtAFileForNowSyncsItLater) {
  FaultFileSystem disk;
  disk.fail_keepers(EMFILE);
  const auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    disk.fail_keepers(error);
    EXPECT_EQ(journal->sync_now(), error);
    EXPECT_LT(journal->synced(), journal->end());
    EXPECT_EQ(journal->append(small_message(2), nullptr), AppendResult::kOk) << journal->last_error();
  }
  disk.clear_faults();
  EXPECT_EQ(journal->sync_now(), 0);
  EXPECT_EQ(journal->synced(), journal->end());
}

TEST(Journal, AFileThatCannotBeSyncedBecauseItIsNotThereStopsIt) {
  for (const int error : {ENOENT, ESTALE, EACCES}) {
    FaultFileSystem disk;
    disk.fail_keepers(error);
    const auto journal = open_journal(small_options(), disk);
    ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
    EXPECT_EQ(journal->sync_now(), error);
    disk.clear_faults();
    EXPECT_EQ(journal->sync_now(), error) << "for ever";
    EXPECT_EQ(journal->append(small_message(2), nullptr), AppendResult::kBroken);
  }
}

TEST(Journal, SyncAlwaysKeepsWhatItAcknowledgedThroughAnyPowerCut) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t round = 0; round < 100; ++round) {
    std::mt19937_64 random(seed + round);
    FaultFileSystem disk;
    JournalOptions options = small_options(1000);
    options.sync = JournalOptions::Sync::kAlways;
    auto journal = open_journal(options, disk);
    const auto count = static_cast<Seq>(random() % 40);
    for (Seq seq = 1; seq <= count; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
    disk.power_cut(random);
    journal.reset();
    disk.start();
    journal = open_journal(options, disk);
    const ReadBack back = read_all(*journal, journal->begin());
    ASSERT_EQ(back.records.size(), static_cast<std::size_t>(count)) << "round " << round;
    ASSERT_TRUE(back.corrupt.empty()) << back.corrupt.front();
  }
}

TEST(Journal, TheIntervalThreadSyncsByItself) {
  FaultFileSystem disk;
  JournalOptions options = small_options();
  options.sync = JournalOptions::Sync::kInterval;
  options.interval = std::chrono::milliseconds(1);
  const auto journal = open_journal(options, disk);
  // A sync that fails is how this test sees that one came: the append side then stops.
  disk.fail_sync(EIO);
  AppendResult result = AppendResult::kOk;
  for (Seq seq = 1; result == AppendResult::kOk; ++seq) result = journal->append(small_message(seq), nullptr);
  EXPECT_EQ(result, AppendResult::kBroken) << journal->last_error();
  EXPECT_EQ(disk.injected(), 1);
}

}  // namespace
}  // namespace chat
