// What the broker's thread pays for one publish: an append to the journal, beside a bare write() of the same bytes
// (and, where its headers are there, beside SQLite's write-ahead log: sqlite_bench.cpp). Run it on the disk that the
// journal will lie on (TMPDIR names it) and on a quiet machine.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/journal/record_of_bench.h"
#include "plugin/journal/format.h"
#include "plugin/journal/journal.h"

namespace {

using chat::Journal;
using chat::JournalOptions;
using chat::bench::kRecordBytes;
using chat::bench::message;
using chat::bench::TempFolder;

constexpr std::uint64_t kTrimEvery = 100'000;

std::unique_ptr<Journal> open_journal(const std::string& folder, JournalOptions::Sync sync) {
  JournalOptions options;
  options.folder = folder;
  options.bytes_max = 4ULL << 30;
  options.sync = sync;
  chat::JournalError error;
  auto journal = Journal::open(options, chat::posix_file_system(), &error);
  if (journal == nullptr) std::abort();
  return journal;
}

void append(benchmark::State& state, JournalOptions::Sync sync) {
  const TempFolder folder;
  const auto journal = open_journal(folder.path() + "/journal", sync);
  const auto record = message();
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (journal->append(record, nullptr) != chat::AppendResult::kOk) {
      state.SkipWithError(journal->last_error().c_str());
      break;
    }
    if (++count % kTrimEvery == 0) journal->trim(journal->end());
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_AppendNever(benchmark::State& state) {
  append(state, JournalOptions::Sync::kNever);
}
void BM_AppendInterval100ms(benchmark::State& state) {
  append(state, JournalOptions::Sync::kInterval);
}
void BM_AppendAlways(benchmark::State& state) {
  append(state, JournalOptions::Sync::kAlways);
}

// At a pace that a busy broker has, the time of each append by itself: does the thread that syncs make this one wait?
void paced(benchmark::State& state, JournalOptions::Sync sync) {
  using Clock = std::chrono::steady_clock;
  const TempFolder folder;
  const auto journal = open_journal(folder.path() + "/journal", sync);
  const auto record = message();
  std::vector<double> took;  // microseconds
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    const auto before = Clock::now();
    if (journal->append(record, nullptr) != chat::AppendResult::kOk) {
      state.SkipWithError(journal->last_error().c_str());
      break;
    }
    const std::chrono::duration<double> time = Clock::now() - before;
    state.SetIterationTime(time.count());
    took.push_back(time.count() * 1e6);
  }
  if (took.empty()) return;
  std::sort(took.begin(), took.end());
  state.counters["p99_us"] = took[took.size() * 99 / 100];
  state.counters["p99.9_us"] = took[took.size() * 999 / 1000];
  state.counters["max_us"] = took.back();
}

void BM_PacedNever(benchmark::State& state) {
  paced(state, JournalOptions::Sync::kNever);
}
void BM_PacedInterval100ms(benchmark::State& state) {
  paced(state, JournalOptions::Sync::kInterval);
}

void BM_BareWrite(benchmark::State& state) {
  const TempFolder folder;
  const int fd = ::open((folder.path() + "/file").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const std::string bytes(kRecordBytes, 'x');
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      state.SkipWithError("write");
      break;
    }
    if (++count % (2 * kTrimEvery) == 0 && ::ftruncate(fd, 0) != 0) state.SkipWithError("ftruncate");
  }
  ::close(fd);
  state.SetItemsProcessed(state.iterations());
}

void BM_EncodeAndChecksum(benchmark::State& state) {
  const auto record = message();
  const chat::RecordSeal seal(chat::Uuid{});
  std::string buffer;
  for (auto _ : state) {
    buffer.assign(chat::kRecordHeaderBytes, '\0');
    chat::encode(record, &buffer);
    seal.close(64, &buffer);
    benchmark::DoNotOptimize(buffer.data());
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Read(benchmark::State& state) {
  const TempFolder folder;
  const auto journal = open_journal(folder.path() + "/journal", JournalOptions::Sync::kNever);
  constexpr int kRecords = 100'000;
  for (int i = 0; i < kRecords; ++i) journal->append(message(), nullptr);
  for (auto _ : state) {
    const auto reader = journal->read(journal->begin());
    chat::Record record;
    chat::Position position = 0;
    while (reader->next(&record, &position) == chat::JournalReader::Result::kRecord) benchmark::DoNotOptimize(position);
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
}

BENCHMARK(BM_BareWrite);
BENCHMARK(BM_EncodeAndChecksum);
BENCHMARK(BM_AppendNever);
BENCHMARK(BM_AppendInterval100ms)->UseRealTime();
BENCHMARK(BM_PacedNever)->UseManualTime()->Iterations(60'000);
BENCHMARK(BM_PacedInterval100ms)->UseManualTime()->Iterations(60'000);
BENCHMARK(BM_AppendAlways)->UseRealTime();
BENCHMARK(BM_Read);

}  // namespace

BENCHMARK_MAIN();
