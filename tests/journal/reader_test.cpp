#include <gtest/gtest.h>

#include <cerrno>

#include "plugin/journal/format.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

using Result = JournalReader::Result;

TEST(JournalReader, SeesWhatIsAppendedAfterItReachedTheEnd) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(200), disk);
  const auto reader = journal->read(journal->begin());
  Record record;
  Position position = 0;
  for (Seq seq = 1; seq <= 20; ++seq) {
    EXPECT_EQ(reader->next(&record, &position), Result::kEnd);
    Position given = 0;
    ASSERT_EQ(journal->append(small_message(seq), &given), AppendResult::kOk);
    ASSERT_EQ(reader->next(&record, &position), Result::kRecord) << reader->error();
    EXPECT_EQ(position, given);
    EXPECT_EQ(record, Record(small_message(seq)));
    EXPECT_EQ(reader->position(), journal->end());
  }
}

TEST(JournalReader, StartsAtAnyRecord) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(300), disk);
  std::vector<Position> positions(10);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    ASSERT_EQ(journal->append(small_message(static_cast<Seq>(i)), &positions[i]), AppendResult::kOk);
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const ReadBack back = read_all(*journal, positions[i]);
    EXPECT_TRUE(back.corrupt.empty());
    ASSERT_EQ(back.records.size(), positions.size() - i);
    EXPECT_EQ(back.records[0].first, positions[i]);
  }
  EXPECT_TRUE(read_all(*journal, journal->end()).records.empty());
}

TEST(JournalReader, TellsACommandItsPosition) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  CommandRecord command;
  command.command.operation = "recall";
  Position position = 0;
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  ASSERT_EQ(journal->append(command, &position), AppendResult::kOk);
  const ReadBack back = read_all(*journal, journal->begin());
  ASSERT_EQ(back.records.size(), 2U);
  EXPECT_EQ(std::get<CommandRecord>(back.records[1].second).command.position, position);
}

TEST(JournalReader, ACheckpointBehindTheEndIsReportedNotTrusted) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  const ReadBack back = read_all(*journal, journal->end() + 1000);
  ASSERT_EQ(back.corrupt.size(), 1U);
  EXPECT_NE(back.corrupt[0].find(std::to_string(journal->end() + 1000)), std::string::npos) << back.corrupt[0];
  EXPECT_EQ(back.position, journal->end());
}

TEST(JournalReader, ACheckpointInFrontOfTheOldestSegmentIsReported) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(200), disk);
  for (Seq seq = 1; seq <= 10; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  const Position first = journal->begin();
  journal->trim(journal->end());
  ASSERT_GT(journal->begin(), first);
  const ReadBack back = read_all(*journal, first);
  EXPECT_EQ(back.corrupt.size(), 1U);
  EXPECT_FALSE(back.records.empty());
}

TEST(JournalReader, AMissingSegmentIsReportedWithItsPositions) {
  FaultFileSystem disk;
  auto journal = open_journal(small_options(200), disk);
  for (Seq seq = 1; seq <= 12; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  const std::size_t all = read_all(*journal, journal->begin()).records.size();
  journal.reset();
  std::vector<std::string> segments;
  for (const std::string& path : disk.paths()) {
    if (path.ends_with(".seg")) segments.push_back(path);
  }
  ASSERT_GE(segments.size(), 4U);
  const Position lost = *segment_base(segments[1].substr(9));
  ASSERT_EQ(disk.remove(segments[1]), 0);
  journal = open_journal(small_options(200), disk);
  const ReadBack back = read_all(*journal, journal->begin());
  ASSERT_EQ(back.corrupt.size(), 1U);
  EXPECT_NE(back.corrupt[0].find(std::to_string(lost)), std::string::npos) << back.corrupt[0];
  EXPECT_LT(back.records.size(), all);
  EXPECT_EQ(back.position, journal->end());
}

TEST(JournalReader, ASegmentThatCannotBeOpenedIsTriedAgain) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  ASSERT_EQ(journal->append(small_message(1), nullptr), AppendResult::kOk);
  disk.fail_open("/journal/" + segment_name(journal->begin()), EMFILE);
  const auto reader = journal->read(journal->begin());
  Record record;
  EXPECT_EQ(reader->next(&record, nullptr), Result::kEnd);
  EXPECT_FALSE(reader->error().empty());
  EXPECT_EQ(disk.injected(), 1);
  disk.clear_faults();
  EXPECT_EQ(reader->next(&record, nullptr), Result::kRecord);
  EXPECT_EQ(reader->next(&record, nullptr), Result::kEnd);
  EXPECT_TRUE(reader->error().empty());
}

TEST(JournalReader, AnUnreadablePageCostsOnlyTheRecordsInIt) {
  FaultFileSystem disk;
  const auto journal = open_journal(small_options(), disk);
  for (Seq seq = 1; seq <= 200; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
  const std::uint64_t size = journal->bytes();
  ASSERT_GT(size, 3 * 4096U);
  disk.fail_read("/journal/" + segment_name(journal->begin()), 5000, 5001);
  const ReadBack back = read_all(*journal, journal->begin());
  EXPECT_GT(disk.injected(), 0);
  ASSERT_EQ(back.corrupt.size(), 1U);
  const std::uint64_t record = (size - kSegmentHeaderBytes) / 200;
  EXPECT_GE(back.records.size(), 200 - 4096 / record - 3);
  EXPECT_LT(back.records.size(), 200U);
  EXPECT_EQ(back.records.back().second, Record(small_message(200)));
}

TEST(JournalReader, ReadsRecordsLargerThanItsChunk) {
  FaultFileSystem disk;
  JournalOptions options = small_options(64 << 20);
  options.bytes_max = 256 << 20;
  const auto journal = open_journal(options, disk);
  std::vector<std::pair<Position, Record>> twin;
  for (const std::size_t size : {std::size_t{10}, kRecordBytesMax - 1000, std::size_t{1} << 20, std::size_t{20}}) {
    ParkedRecord record;
    record.payload.assign(size, 'x');
    Position position = 0;
    ASSERT_EQ(journal->append(record, &position), AppendResult::kOk) << journal->last_error();
    twin.emplace_back(position, record);
  }
  EXPECT_EQ(read_all(*journal, journal->begin()).records, twin);
}

}  // namespace
}  // namespace chat
