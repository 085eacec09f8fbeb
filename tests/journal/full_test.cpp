// The journal at its bounds: its own limit, a full disk, and what trim() gives back.
#include <gtest/gtest.h>

#include <cerrno>

#include "plugin/journal/format.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

Seq fill(Journal& journal, Seq from) {
  while (journal.append(small_message(from), nullptr) == AppendResult::kOk) ++from;
  return from;
}

TEST(JournalFull, AtItsLimitItRefusesAndAfterTrimmingAccepts) {
  FaultFileSystem disk;
  JournalOptions options = small_options(100'000);  // more than a quarter: the segments are made smaller
  options.bytes_max = 20'000;
  const auto journal = open_journal(options, disk);
  Seq next = fill(*journal, 1);
  EXPECT_GT(next, 50);
  EXPECT_LE(journal->bytes(), options.bytes_max);
  EXPECT_NE(journal->last_error().find("20000"), std::string::npos) << journal->last_error();
  EXPECT_EQ(journal->append(small_message(next), nullptr), AppendResult::kFull) << "and again";
  // Nothing of what was accepted is touched, and refused records left no trace.
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), static_cast<std::size_t>(next - 1));
  for (int round = 0; round < 10; ++round) {
    journal->trim(journal->end());
    ASSERT_EQ(journal->append(small_message(next), nullptr), AppendResult::kOk) << journal->last_error();
    next = fill(*journal, next + 1);
  }
  const ReadBack back = read_all(*journal, journal->begin());
  EXPECT_TRUE(back.corrupt.empty());
  EXPECT_EQ(back.records.back().second, Record(small_message(next - 1)));
}

TEST(JournalFull, TrimNeverRemovesWhatIsAtOrAboveItsArgument) {
  std::mt19937_64 random(test_seed());
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(300), disk);
  std::vector<Position> positions(200);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    ASSERT_EQ(journal->append(small_message(static_cast<Seq>(i)), &positions[i]), AppendResult::kOk);
  }
  std::size_t from = 0;
  while (from < positions.size()) {
    const std::uint64_t before = journal->bytes();
    journal->trim(positions[from]);
    EXPECT_LE(journal->begin(), positions[from]);
    EXPECT_LE(journal->bytes(), before);
    const ReadBack back = read_all(*journal, positions[from]);
    ASSERT_TRUE(back.corrupt.empty()) << back.corrupt.front();
    ASSERT_EQ(back.records.size(), positions.size() - from);
    from += 1 + random() % 20;
  }
  journal->trim(journal->end());
  journal->trim(journal->end() + 1'000'000);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk) << "the last segment is never trimmed";
  std::uint64_t files = 0;
  for (const std::string& path : disk.paths()) {
    if (path.ends_with(".seg")) files += disk.content(path).size();
  }
  EXPECT_EQ(journal->bytes(), files);
}

TEST(JournalFull, BytesCountTheSameAfterReopening) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(300), disk);
  for (Seq seq = 1; seq <= 30; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  journal->trim(journal->end() / 2);
  const std::uint64_t bytes = journal->bytes();
  journal.reset();
  journal = open_journal(small_options(300), disk);
  EXPECT_EQ(journal->bytes(), bytes);
}

TEST(JournalFull, ZerosLeftInSegmentsByACrashAreCutAndDoNotCount) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(300), disk);
  for (Seq seq = 1; seq <= 30; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  const std::uint64_t bytes = journal->bytes();
  const auto written = read_all(*journal, journal->begin()).records;
  disk.kill();
  journal.reset();
  disk.start();
  int left = 0;
  for (const std::string& path : disk.paths()) {
    if (!path.ends_with(".seg")) continue;
    disk.set_content(path, disk.content(path) + std::string(static_cast<std::size_t>(1000 * ++left), '\0'));
  }
  ASSERT_GT(left, 5);
  journal = open_journal(small_options(300), disk);
  EXPECT_EQ(journal->bytes(), bytes);
  EXPECT_EQ(journal->cut_bytes(), 0U);
  std::uint64_t files = 0;
  for (const std::string& path : disk.paths()) files += path.ends_with(".seg") ? disk.content(path).size() : 0;
  EXPECT_EQ(files, bytes);
  const ReadBack back = read_all(*journal, journal->begin());
  EXPECT_EQ(back.records, written);
  EXPECT_TRUE(back.corrupt.empty());
}

TEST(JournalFull, AFullDiskLeavesNoTraceAndIsNoCatastrophe) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(400), disk);
  Seq next = 1;
  for (; next <= 10; ++next) ASSERT_EQ(journal->append(small_message(next), nullptr), AppendResult::kOk);
  for (std::uint64_t room = 5000; room < 5400; room += 7) {
    disk.set_room(room);
    next = fill(*journal, next);
    ASSERT_EQ(journal->append(small_message(next), nullptr), AppendResult::kFull) << journal->last_error();
    ASSERT_EQ(read_all(*journal, journal->begin()).records.size(), static_cast<std::size_t>(next - 1)) << room;
  }
  EXPECT_GT(disk.injected(), 50);
  disk.set_room(1 << 20);
  ASSERT_EQ(journal->append(small_message(next), nullptr), AppendResult::kOk) << journal->last_error();
  const ReadBack back = read_all(*journal, journal->begin());
  EXPECT_TRUE(back.corrupt.empty());
  EXPECT_EQ(back.records.size(), static_cast<std::size_t>(next));
}

TEST(JournalFull, AFullDiskWhoseRestCannotBeTakenBackIsBroken) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  disk.fail_append(ENOSPC, 30);
  disk.fail_truncate(EIO);
  EXPECT_EQ(journal->append(small_message(2), nullptr), AppendResult::kBroken);
  EXPECT_EQ(journal->append(small_message(3), nullptr), AppendResult::kBroken);
  EXPECT_EQ(disk.injected(), 2);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 1U);
  journal.reset();
  journal = open_journal(small_options(), disk);
  EXPECT_EQ(journal->cut_bytes(), 30U);
  ASSERT_EQ(journal->append(small_message(4), nullptr), AppendResult::kOk);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 2U);
}

TEST(JournalFull, AnInputOutputErrorIsBrokenAndSaysWhere) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  disk.fail_append(EIO, 12);
  EXPECT_EQ(journal->append(small_message(1), nullptr), AppendResult::kBroken);
  EXPECT_NE(journal->last_error().find("/journal"), std::string::npos) << journal->last_error();
  EXPECT_EQ(journal->append(small_message(1), nullptr), AppendResult::kBroken);
  EXPECT_TRUE(read_all(*journal, journal->begin()).records.empty());
}

TEST(JournalFull, ARecordAboveTheBoundIsRefusedAndNothingElse) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  ParkedRecord record;
  record.payload.assign(kRecordBytesMax + 1, 'x');
  EXPECT_EQ(journal->append(record, nullptr), AppendResult::kFull);
  EXPECT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
}

}  // namespace
}  // namespace chat
