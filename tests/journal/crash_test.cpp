// Goal: over many lives of one journal, with crashes, power cuts and disk faults, the reader gets exactly what was
// acknowledged, or, after a power cut, all of it up to what was synced, never anything else, and no position twice.
// Method: random operations on the journal and on a naive twin (a vector of what was acknowledged); the checker reads
// the journal after every opening and compares. Counts the faults: a run without any is a failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "tests/journal/fault_file_system.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

struct Acknowledged {
  Position position = 0;
  Record record;
  bool synced = false;
};

class Twin {
 public:
  explicit Twin(std::uint64_t seed) : random_(seed) {
    options_ = small_options(600 + random_() % 3000);
    if (random_() % 2 == 0) disk_.prepare_behind_each_append(1 + random_() % 2000);
  }

  void live() {
    journal_ = open_journal(options_, disk_);
    ASSERT_NE(journal_, nullptr);
    check();
    reader_ = journal_->read(journal_->begin());
    reader_expects_ = 0;
    for (std::size_t n = random_() % 120; n > 0 && !broken_; --n) ASSERT_NO_FATAL_FAILURE(step());
    reader_.reset();
    die();
  }

  int faults() const { return disk_.injected(); }
  int power_cuts = 0;
  int kills = 0;
  int closes = 0;
  std::size_t read = 0;

 private:
  void step() {
    switch (random_() % 12) {
      case 0:
        disk_.fail_append(random_() % 2 == 0 ? ENOSPC : EDQUOT, random_() % 100);
        break;
      case 1:
        if (random_() % 20 == 0) disk_.fail_append(EIO, random_() % 100);
        break;
      case 2:
        if (random_() % 20 == 0) disk_.fail_truncate(EIO);
        break;
      case 3:
        sync();
        break;
      case 4:
        read_some();
        break;
      case 5:
        if (random_() % 5 == 0) trim();
        break;
      default:
        add();
        break;
    }
  }

  void add() {
    const Record record = random_record(random_);
    const Position expected = journal_->end();
    Position position = 0;
    const AppendResult result = append(*journal_, record, &position);
    if (result == AppendResult::kOk) {
      ASSERT_TRUE(given_.insert(position).second) << "position " << position << " was given twice";
      ASSERT_GT(position, highest_);
      highest_ = position;
      twin_.push_back({position, as_read(record, position), false});
    } else {
      broken_ = result == AppendResult::kBroken;
      if (broken_) in_doubt_ = {{expected, as_read(record, expected), false}};
    }
  }

  void sync() {
    ASSERT_EQ(journal_->sync_now(), 0);
    ASSERT_EQ(journal_->synced(), journal_->end());
    for (Acknowledged& a : twin_) a.synced = true;
  }

  void read_some() {
    Record record;
    Position position = 0;
    for (std::size_t n = random_() % 30; n > 0; --n) {
      const JournalReader::Result result = reader_->next(&record, &position);
      if (result == JournalReader::Result::kEnd) {
        ASSERT_EQ(reader_expects_, twin_.size());
        return;
      }
      if (result == JournalReader::Result::kCorrupt) {
        ASSERT_TRUE(ever_lost_power_) << reader_->error();
        continue;
      }
      if (position < trimmed_to_) continue;
      ASSERT_LT(reader_expects_, twin_.size());
      ASSERT_EQ(position, twin_[reader_expects_].position) << reader_->error();
      ASSERT_EQ(record, twin_[reader_expects_].record);
      ++reader_expects_;
      ++read;
    }
  }

  // As the persister does: up to where it has read.
  void trim() {
    journal_->trim(reader_->position());
    const Position begin = trimmed_to_ = std::max(trimmed_to_, journal_->begin());
    const auto kept =
        std::find_if(twin_.begin(), twin_.end(), [&](const Acknowledged& a) { return a.position >= begin; });
    const auto gone = static_cast<std::size_t>(kept - twin_.begin());
    ASSERT_LE(gone, reader_expects_) << "something unread was trimmed";
    twin_.erase(twin_.begin(), kept);
    reader_expects_ -= gone;
  }

  void die() {
    const auto how = broken_ ? random_() % 2 : random_() % 3;
    if (how == 0) {
      disk_.kill();
      ++kills;
    } else if (how == 1) {
      disk_.power_cut(random_);
      ++power_cuts;
      lost_power_ = ever_lost_power_ = true;
    } else {
      ++closes;
    }
    disk_.clear_faults();
    journal_.reset();
    disk_.start();
    broken_ = false;
    if (lost_power_) {
      change_boot(disk_);
      ++losses_;
    }
  }

  void check() {
    ASSERT_EQ(journal_->power_cut(), lost_power_);
    ASSERT_EQ(journal_->may_have_lost(), lost_power_);
    ASSERT_EQ(journal_->losses(), losses_);
    ASSERT_EQ(journal_->synced(), journal_->end());
    const ReadBack back = read_all(*journal_, journal_->begin());
    // A segment that was trimmed may be back after a power cut: its records are whole, and read already.
    std::vector<std::pair<Position, Record>> got = back.records;
    got.erase(got.begin(), std::find_if(got.begin(), got.end(), [&](const auto& r) { return r.first >= trimmed_to_; }));
    // The record whose append broke the journal may be there or not: nobody was told either way.
    twin_.insert(twin_.end(), in_doubt_.begin(), in_doubt_.end());
    std::vector<Acknowledged> survived;
    for (const Acknowledged& a : twin_) {
      const bool there = std::find(got.begin(), got.end(), std::pair(a.position, a.record)) != got.end();
      const bool doubtful = !in_doubt_.empty() && a.position == in_doubt_[0].position;
      ASSERT_TRUE(there || doubtful || (lost_power_ && !a.synced)) << "acknowledged, but gone: position " << a.position;
      if (there) {
        survived.push_back({a.position, a.record, true});
        given_.insert(a.position);
        highest_ = std::max(highest_, a.position);
      }
    }
    in_doubt_.clear();
    ASSERT_EQ(got.size(), survived.size()) << "there are records that nobody wrote";
    ASSERT_TRUE(ever_lost_power_ || back.corrupt.empty()) << back.corrupt.front();
    twin_ = std::move(survived);
    lost_power_ = false;
  }

  std::mt19937_64 random_;
  FaultFileSystem disk_;
  JournalOptions options_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalReader> reader_;
  std::size_t reader_expects_ = 0;  // index in twin_ of what the reader will give next
  std::vector<Acknowledged> twin_;
  std::vector<Acknowledged> in_doubt_;  // at most one
  std::set<Position> given_;
  Position highest_ = 0;
  Position trimmed_to_ = 0;
  bool broken_ = false;
  bool lost_power_ = false;  // since the last check
  bool ever_lost_power_ = false;
  std::int64_t losses_ = 0;
};

TEST(JournalCrash, ManyLivesGiveExactlyWhatWasAcknowledged) {
  const std::uint64_t seed = test_seed();
  int faults = 0;
  int power_cuts = 0;
  int kills = 0;
  int closes = 0;
  std::size_t read = 0;
  for (std::uint64_t journal = 0; journal < 60; ++journal) {
    Twin twin(seed + journal);
    for (int life = 0; life < 25; ++life) {
      twin.live();
      ASSERT_FALSE(testing::Test::HasFatalFailure())
          << "CHAT_SEED=" << seed << ", journal " << journal << ", life " << life;
    }
    faults += twin.faults();
    power_cuts += twin.power_cuts;
    kills += twin.kills;
    closes += twin.closes;
    read += twin.read;
  }
  EXPECT_GT(faults, 100);
  EXPECT_GT(power_cuts, 100);
  EXPECT_GT(kills, 100);
  EXPECT_GT(closes, 100);
  EXPECT_GT(read, 1000U);
}

}  // namespace
}  // namespace chat
