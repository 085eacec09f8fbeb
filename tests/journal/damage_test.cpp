// Goal: whatever happened to the bytes of a journal, opening it never gives a record that was not written, and loses no
// more than it must. Method: a small journal is cut at every byte, and every byte of it is changed, one at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "plugin/journal/format.h"
#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

using Written = std::vector<std::pair<Position, Record>>;

const std::string kPath = "/journal/" + segment_name(kFirstPosition);

// A journal of one segment with a record of each kind, left by a process that was killed.
Written write_small(FaultFileSystem& disk) {
  auto journal = open_journal(small_options(), disk);
  CommandRecord command;
  command.command.operation = "recall";
  command.command.payload = R"({"seq":1})";
  const std::vector<Record> records = {small_message(1),
                                       CursorRecord{{7, "bob", "tab", 1, 0, 1, 5}, 0},
                                       command,
                                       ParkedRecord{"carol", "pc", "chat/d/dave/msg", "{}", 9, 1},
                                       ResolvedRecord{64},
                                       small_message(2)};
  Written written;
  for (const Record& record : records) {
    Position position = 0;
    EXPECT_EQ(append(*journal, record, &position), AppendResult::kOk);
    written.emplace_back(position, as_read(record, position));
  }
  disk.kill();
  journal.reset();
  disk.start();
  return written;
}

bool is_subsequence(const Written& part, const Written& whole) {
  auto at = whole.begin();
  for (const auto& record : part) {
    at = std::find(at, whole.end(), record);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

std::vector<std::string> kept_cuts(const FaultFileSystem& disk) {
  std::vector<std::string> cuts;
  for (const std::string& path : disk.paths()) {
    if (path.find(".seg.cut") != std::string::npos) cuts.push_back(path);
  }
  return cuts;
}

TEST(JournalDamage, EveryPrefixGivesExactlyItsWholeRecords) {
  FaultFileSystem original;
  const Written written = write_small(original);
  const std::string bytes = original.content(kPath);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    FaultFileSystem disk;
    disk.set_content(kPath, bytes.substr(0, size));
    disk.set_content("/journal/state", original.content("/journal/state"));
    const auto journal = open_journal(small_options(), disk);
    Written whole;
    for (std::size_t i = 0; i < written.size(); ++i) {
      const Position end =
          i + 1 < written.size() ? written[i + 1].first : bytes.size();  // first segment: position = offset
      if (end <= size) whole.push_back(written[i]);
    }
    const ReadBack back = read_all(*journal, journal->begin());
    ASSERT_EQ(back.records, whole) << "prefix of " << size;
    ASSERT_TRUE(back.corrupt.empty()) << "prefix of " << size << ": " << back.corrupt.front();
    const std::size_t good = whole.empty()                    ? (size < kSegmentHeaderBytes ? 0 : kSegmentHeaderBytes)
                             : whole.size() == written.size() ? bytes.size()
                                                              : written[whole.size()].first;
    EXPECT_EQ(journal->cut_bytes(), size - good) << "prefix of " << size;
    if (size > good) {
      const auto cuts = kept_cuts(disk);
      ASSERT_EQ(cuts.size(), 1U) << "prefix of " << size;
      EXPECT_EQ(disk.content(cuts[0]), bytes.substr(good, size - good));
    }
    // And it goes on, at positions that nobody has seen.
    Position position = 0;
    ASSERT_EQ(journal->append(small_message(9), &position), AppendResult::kOk);
    if (!whole.empty()) {
      EXPECT_GT(position, whole.back().first);
    }
    whole.emplace_back(position, small_message(9));
    ASSERT_EQ(read_all(*journal, journal->begin()).records, whole);
  }
}

TEST(JournalDamage, AFlippedByteNeverGivesAWrongRecord) {
  FaultFileSystem original;
  const Written written = write_small(original);
  const std::string bytes = original.content(kPath);
  for (std::size_t offset = 0; offset < bytes.size(); ++offset) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      FaultFileSystem disk;
      std::string damaged = bytes;
      damaged[offset] = static_cast<char>(static_cast<unsigned char>(damaged[offset]) ^ flip);
      disk.set_content(kPath, damaged);
      disk.set_content("/journal/state", original.content("/journal/state"));
      JournalError error;
      const auto journal = Journal::open(small_options(), disk, &error);
      ASSERT_NE(journal, nullptr) << error.what;
      const ReadBack back = read_all(*journal, journal->begin());
      ASSERT_TRUE(is_subsequence(back.records, written)) << "offset " << offset << " flip " << flip;
      // One record is lost at most, none where the header was hit; and never without a word.
      ASSERT_GE(back.records.size() + (offset < kSegmentHeaderBytes ? 0 : 1), written.size()) << "offset " << offset;
      const bool told = !back.corrupt.empty() || journal->cut_bytes() > 0;
      ASSERT_TRUE(told) << "offset " << offset << " flip " << flip;
      const bool in_last = offset >= written.back().first;
      ASSERT_EQ(journal->cut_bytes() > 0, in_last) << "only the last record can look torn; offset " << offset;
      ASSERT_EQ(kept_cuts(disk).size(), in_last ? 1U : 0U) << "offset " << offset;
    }
  }
}

TEST(JournalDamage, InTheMiddleItIsReportedAndWhatFollowsIsRead) {
  FaultFileSystem disk;
  const Written written = write_small(disk);
  std::string bytes = disk.content(kPath);
  const Position hurt = written[1].first;
  bytes.replace(hurt, 20, 20, '\0');
  disk.set_content(kPath, bytes);
  const auto journal = open_journal(small_options(), disk);
  EXPECT_EQ(journal->cut_bytes(), 0U);
  EXPECT_EQ(disk.content(kPath), bytes) << "open() must not touch it";
  const ReadBack back = read_all(*journal, journal->begin());
  Written expected = written;
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(back.records, expected);
  ASSERT_EQ(back.corrupt.size(), 1U);
  EXPECT_NE(back.corrupt[0].find(std::to_string(hurt)), std::string::npos) << back.corrupt[0];
  EXPECT_NE(back.corrupt[0].find(std::to_string(written[2].first - hurt) + " bytes"), std::string::npos)
      << back.corrupt[0];
}

TEST(JournalDamage, ZerosAtTheEndAreCutAndNothingWasThere) {
  // What a killed process had made ready and not used.
  FaultFileSystem disk;
  const Written written = write_small(disk);
  const std::string bytes = disk.content(kPath);
  for (const std::size_t zeros : {1U, 7U, 8U, 9U, 300U, 10'000U, 1U << 20}) {
    disk.set_content(kPath, bytes + std::string(zeros, '\0'));
    const auto journal = open_journal(small_options(), disk);
    EXPECT_EQ(journal->cut_bytes(), 0U) << zeros;
    EXPECT_TRUE(kept_cuts(disk).empty());
    EXPECT_EQ(disk.content(kPath), bytes) << zeros;
    EXPECT_EQ(journal->end(), bytes.size()) << "no gap, and no new segment, behind nothing lost";
    EXPECT_EQ(read_all(*journal, journal->begin()).records, written);
  }
}

TEST(JournalDamage, ARecordTornInsideWhatWasMadeReadyIsCutAndKept) {
  // A process that was killed in the middle of copying it: some of it, then zeros.
  FaultFileSystem disk;
  Written written = write_small(disk);
  const std::string bytes = disk.content(kPath);
  const auto last = static_cast<std::size_t>(written.back().first);
  written.pop_back();
  for (std::size_t torn = 1; last + torn < bytes.size(); ++torn) {
    FaultFileSystem fresh;
    fresh.set_content("/journal/state", disk.content("/journal/state"));
    fresh.set_content(kPath, bytes.substr(0, last + torn) + std::string(5000, '\0'));
    const auto journal = open_journal(small_options(), fresh);
    // A length of which only zeros were copied so far is nothing; else it is told, and its position not given again.
    const bool something = bytes.find_first_not_of('\0', last) < last + torn;
    EXPECT_EQ(journal->cut_bytes(), something ? torn + 5000 : 0) << torn;
    EXPECT_EQ(kept_cuts(fresh).size(), something ? 1U : 0U) << torn;
    EXPECT_EQ(journal->end() > last, something) << torn;
    EXPECT_EQ(read_all(*journal, journal->begin()).records, written);
  }
}

TEST(JournalDamage, ARecordInsideAMessageIsNotTakenForOne) {
  // The sender knows the format, not the journal's UUID: what it embeds carries a checksum over the body alone or a
  // guess.
  FaultFileSystem disk;
  auto journal = open_journal(small_options(), disk);
  std::string forged(kRecordHeaderBytes, '\0');
  encode(small_message(666), &forged);
  RecordSeal(Uuid{}).close(kFirstPosition + 500, &forged);
  MessageRecord carrier = small_message(1);
  carrier.message.payload.assign(300, ' ');
  carrier.message.payload += forged;
  ASSERT_EQ(journal->append(carrier, nullptr), AppendResult::kOk);
  ASSERT_EQ(journal->append(small_message(2), nullptr), AppendResult::kOk);
  journal.reset();
  std::string bytes = disk.content(kPath);
  bytes[kSegmentHeaderBytes] = '\x7f';  // the carrier's length
  disk.set_content(kPath, bytes);
  journal = open_journal(small_options(), disk);
  const ReadBack back = read_all(*journal, journal->begin());
  ASSERT_EQ(back.records.size(), 1U);
  EXPECT_EQ(back.records[0].second, Record(small_message(2)));
}

TEST(JournalDamage, ADamagedHeaderLosesNoRecord) {
  FaultFileSystem disk;
  const Written written = write_small(disk);
  std::string bytes = disk.content(kPath);
  bytes.replace(0, kSegmentHeaderBytes, kSegmentHeaderBytes, '\0');
  disk.set_content(kPath, bytes);
  auto journal = open_journal(small_options(), disk);
  ReadBack back = read_all(*journal, journal->begin());
  EXPECT_EQ(back.records, written);
  EXPECT_EQ(back.corrupt.size(), 1U);
  Position position = 0;
  ASSERT_EQ(journal->append(small_message(3), &position), AppendResult::kOk);
  journal.reset();
  journal = open_journal(small_options(), disk);
  EXPECT_EQ(read_all(*journal, position).records.size(), 1U);
}

TEST(JournalDamage, WithoutHeaderAndStateItRefusesInsteadOfThrowingAway) {
  FaultFileSystem disk;
  write_small(disk);
  std::string bytes = disk.content(kPath);
  bytes.replace(0, kSegmentHeaderBytes, kSegmentHeaderBytes, '\0');
  disk.set_content(kPath, bytes);
  ASSERT_EQ(disk.remove("/journal/state"), 0);
  JournalError error;
  EXPECT_EQ(Journal::open(small_options(), disk, &error), nullptr);
  EXPECT_NE(error.what.find(kPath), std::string::npos) << error.what;
  EXPECT_EQ(disk.content(kPath), bytes);
}

TEST(JournalDamage, AnUnreadableTailIsNotCut) {
  FaultFileSystem disk;
  const Written written = write_small(disk);
  const std::string bytes = disk.content(kPath);
  disk.fail_read(kPath, written.back().first, bytes.size());
  JournalError error;
  EXPECT_EQ(Journal::open(small_options(), disk, &error), nullptr);
  EXPECT_GT(disk.injected(), 0);
  EXPECT_EQ(disk.content(kPath), bytes);
  disk.clear_faults();
  const auto journal = open_journal(small_options(), disk);
  EXPECT_EQ(read_all(*journal, journal->begin()).records, written);
}

TEST(JournalDamage, DamagedSealedSegmentsAreReportedAndSkipped) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 200; ++round) {
    FaultFileSystem disk;
    auto journal = open_journal(small_options(300), disk);
    for (Seq seq = 1; seq <= 30; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
    const Written written = read_all(*journal, journal->begin()).records;
    journal.reset();
    std::vector<std::string> segments;
    for (const std::string& path : disk.paths()) {
      if (path.ends_with(".seg")) segments.push_back(path);
    }
    const std::string& path = segments[random() % (segments.size() - 1)];
    std::string bytes = disk.content(path);
    if (random() % 2 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      for (int n = 0; n < 5; ++n) bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    }
    if (bytes == disk.content(path)) continue;
    disk.set_content(path, bytes);
    journal = open_journal(small_options(300), disk);
    const ReadBack back = read_all(*journal, journal->begin());
    ASSERT_TRUE(is_subsequence(back.records, written));
    ASSERT_FALSE(back.corrupt.empty()) << path;
    ASSERT_EQ(back.records.back(), written.back());
    ASSERT_GE(back.records.size() + 5, written.size()) << "more is missing than one segment holds";
    ASSERT_EQ(journal->cut_bytes(), 0U);
  }
}

}  // namespace
}  // namespace chat
