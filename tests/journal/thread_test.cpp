// The threads of a real broker on a real disk: one appends, one reads and trims, the journal's own syncs. What this
// test is worth shows under ThreadSanitizer.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "plugin/journal/preparer.h"
#include "tests/journal/records.h"

namespace chat {
namespace {

// The files below `folder` that this process holds open, as the kernel names them.
std::vector<std::string> open_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the folder's own descriptor
    const std::string path = std::filesystem::read_symlink(entry.path(), gone).string();
    if (path.starts_with(folder + "/")) paths.push_back(path);
  }
  return paths;
}

// Of the journal's first segment, in which position and file offset are the same number.
std::uint64_t segment_bytes(const std::string& folder) {
  return std::filesystem::file_size(folder + "/0000000000000040.seg");
}

bool longer_than_its_records(const Journal& journal, const std::string& folder) {
  return segment_bytes(folder) > journal.end();
}

void read_beside_the_writer(std::uint64_t prepare_from) {
  TempFolder folder;
  JournalOptions options;
  options.folder = folder.path() + "/journal";
  options.segment_bytes = 20'000;
  options.bytes_max = 200'000;  // a writer that outruns the reader meets kFull, and goes on after its trim()
  options.sync = JournalOptions::Sync::kInterval;
  options.interval = std::chrono::milliseconds(1);
  if (prepare_from == 0) {
    options.segment_bytes = 1'000'000;
    options.bytes_max = 4'000'000;
    options.interval = Preparer::kIntervalMin;
  }
  options.prepare_from = prepare_from;
  const auto journal = open_journal(options, posix_file_system());
  if (prepare_from == 0 && can_prepare(folder.path())) {
    ASSERT_TRUE(comes_true([&] { return longer_than_its_records(*journal, options.folder); }));
  }
  constexpr Seq kCount = 20'000;
  std::atomic<bool> broken{false};

  std::thread reader_thread([&] {
    const auto reader = journal->read(journal->begin());
    Record record;
    Position position = 0;
    for (Seq expected = 1; expected <= kCount && !broken;) {
      const auto result = reader->next(&record, &position);
      if (result == JournalReader::Result::kEnd) {
        journal->trim(reader->position());
        std::this_thread::yield();
        continue;
      }
      if (result != JournalReader::Result::kRecord || record != Record(small_message(expected))) {
        ADD_FAILURE() << "at " << expected << ": " << reader->error();
        broken = true;
        return;
      }
      ++expected;
      if (expected % 100 == 0) journal->trim(reader->position());
    }
  });

  for (Seq seq = 1; seq <= kCount && !broken;) {
    const AppendResult result = journal->append(small_message(seq), nullptr);
    if (result == AppendResult::kOk) {
      ++seq;
    } else if (result == AppendResult::kFull) {
      std::this_thread::yield();
    } else {
      ADD_FAILURE() << journal->last_error();
      broken = true;
    }
  }
  reader_thread.join();
  EXPECT_LE(journal->bytes(), options.bytes_max);
}

TEST(JournalThreads, AReaderBesideTheWriterGetsEveryRecordInOrder) {
  read_beside_the_writer(0);
}

TEST(JournalThreads, AReaderBesideAWriterWhoseFilesAreNeverPreparedGetsEveryRecordInOrder) {
  read_beside_the_writer(~0ULL);
}

TEST(JournalThreads, UnderLoadTheFileIsPreparedAndClosingLeavesNoneOfIt) {
  for (const JournalOptions::Sync sync : {JournalOptions::Sync::kInterval, JournalOptions::Sync::kNever}) {
    TempFolder folder;
    JournalOptions options = small_options();
    options.folder = folder.path() + "/journal";
    options.sync = sync;
    options.prepare_from = 0;
    if (!can_prepare(folder.path())) GTEST_SKIP() << "not on this machine: needs fallocate and Linux 5.14";
    auto journal = open_journal(options, posix_file_system());
    Seq appended = 0;
    const auto longer = [&] { return longer_than_its_records(*journal, options.folder); };
    ASSERT_TRUE(comes_true(longer)) << "the journal's thread has made nothing ready";
    while (appended < 100) ASSERT_EQ(journal->append(small_message(++appended), nullptr), AppendResult::kOk);
    EXPECT_TRUE(longer());
    EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), 100U);
    const Position end = journal->end();
    journal.reset();
    EXPECT_EQ(segment_bytes(options.folder), end);
    journal = open_journal(options, posix_file_system());
    EXPECT_EQ(journal->end(), end);
  }
}

std::uint64_t bytes_of_segments(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".seg") bytes += entry.file_size();
  }
  return bytes;
}

TEST(JournalThreads, WhatWasMadeReadyDoesNotStayInSegmentsThatWereLeft) {
  // Else files would take more of the disk than journal_max_mb says, and a start after a crash would find the journal
  // full.
  TempFolder folder;
  JournalOptions options = small_options(200'000);
  options.folder = folder.path() + "/journal";
  options.bytes_max = 4'000'000;
  options.prepare_from = 0;
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    JournalError error;
    const auto journal = Journal::open(options, posix_file_system(), &error);
    if (journal == nullptr) ::_exit(1);
    Seq seq = 1;
    while (journal->append(small_message(seq), nullptr) == AppendResult::kOk) ++seq;
    // The last one may keep a stretch, and has its size to grow to.
    const bool cut =
        comes_true([&] { return bytes_of_segments(options.folder) <= journal->bytes() + Preparer::kAheadMax; });
    if (::write(pipe_ends[1], &seq, sizeof seq) != sizeof seq) ::_exit(2);
    ::_exit(cut ? 0 : 3);  // as a crash: nothing is closed
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Seq refused = 0;
  ASSERT_EQ(::read(pipe_ends[0], &refused, sizeof refused), static_cast<ssize_t>(sizeof refused));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  const auto journal = open_journal(options, posix_file_system());
  EXPECT_LE(journal->bytes(), options.bytes_max);
  EXPECT_EQ(read_all(*journal, journal->begin()).records.size(), static_cast<std::size_t>(refused - 1));
}

TEST(JournalThreads, WhatWasTrimmedIsNotHeldOpen) {
  // A file that is removed and still open keeps its space on the disk.
  for (const JournalOptions::Sync sync :
       {JournalOptions::Sync::kNever, JournalOptions::Sync::kInterval, JournalOptions::Sync::kAlways}) {
    TempFolder folder;
    JournalOptions options;
    options.folder = folder.path() + "/journal";
    options.segment_bytes = 1000;
    options.sync = sync;
    options.interval = std::chrono::hours(1);
    const auto journal = open_journal(options, posix_file_system());
    for (Seq seq = 1; seq <= 100; ++seq) ASSERT_EQ(journal->append(small_message(seq), nullptr), AppendResult::kOk);
    ASSERT_GT(open_in(options.folder).size(), 0U);
    journal->trim(journal->end());
    // The journal's own thread may be busy with one of them just now.
    EXPECT_TRUE(comes_true([&] {
      const auto paths = open_in(options.folder);
      return std::none_of(paths.begin(), paths.end(), [](const auto& path) { return path.ends_with("(deleted)"); });
    }));
    EXPECT_EQ(journal->sync_now(), 0);
  }
}

TEST(JournalThreads, ItsOwnThreadBlocksEverySignal) {
  TempFolder folder;
  JournalOptions options = small_options();
  options.folder = folder.path() + "/journal";
  const auto journal = open_journal(options, posix_file_system());
  // The calling thread keeps its own mask.
  sigset_t mask;
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
  // With it blocked here, a signal to the process stays pending: no other thread takes it.
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &usr1, nullptr), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);  // would end the process if any thread took it
  int got = 0;
  ASSERT_EQ(sigwait(&usr1, &got), 0);
  EXPECT_EQ(got, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr), 0);
}

TEST(JournalThreads, KilledInTheMiddleOfAppendingItKeepsWhatItSaid) {
  // A child appends and says after each record how far it is, by a pipe; the parent kills it at some moment.
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 10; ++round) {
    TempFolder folder;
    const bool prepared = round % 2 == 0;
    JournalOptions options = small_options(prepared ? 1 << 20 : 5000);
    options.folder = folder.path() + "/journal";
    options.prepare_from = prepared ? 0 : ~0ULL;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      JournalError error;
      const auto journal = Journal::open(options, posix_file_system(), &error);
      // Ready for the first 64 KiB at least: those go by a copy.
      if (prepared && can_prepare(folder.path()) && journal != nullptr &&
          !comes_true([&] { return longer_than_its_records(*journal, options.folder); })) {
        ::_exit(2);
      }
      for (Seq seq = 1; journal != nullptr; ++seq) {
        if (journal->append(small_message(seq), nullptr) != AppendResult::kOk) break;
        if (::write(pipe_ends[1], &seq, sizeof seq) != sizeof seq) break;
      }
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    const auto wanted = static_cast<Seq>(1 + random() % 500);
    Seq said = 0;
    while (said < wanted && ::read(pipe_ends[0], &said, sizeof said) == sizeof said) continue;
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(pipe_ends[0], &said, sizeof said) == sizeof said) continue;
    ::close(pipe_ends[0]);

    const auto journal = open_journal(options, posix_file_system());
    EXPECT_FALSE(journal->power_cut());
    const ReadBack back = read_all(*journal, journal->begin());
    EXPECT_TRUE(back.corrupt.empty());
    ASSERT_GE(back.records.size(), static_cast<std::size_t>(said));
    for (std::size_t i = 0; i < back.records.size(); ++i) {
      ASSERT_EQ(back.records[i].second, Record(small_message(static_cast<Seq>(i + 1))));
    }
  }
}

}  // namespace
}  // namespace chat
