// Records to write, and the reading of a whole journal, for the journal's tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "plugin/journal/journal.h"

namespace chat {

// From CHAT_SEED, else of the machine's chance. Prints it.
std::uint64_t test_seed();

std::string random_text(std::mt19937_64& random, std::size_t bytes_max);
Record random_record(std::mt19937_64& random, std::size_t text_bytes_max = 40);
MessageRecord small_message(Seq seq);  // recognisable: its payload names the seq

AppendResult append(Journal& journal, const Record& record, Position* position);

// As it comes back: a command carries its position.
Record as_read(Record record, Position position);

struct ReadBack {
  std::vector<std::pair<Position, Record>> records;
  std::vector<std::string> corrupt;  // error() of each
  Position position = 0;             // of the reader at the end
};
ReadBack read_all(Journal& journal, Position from);

// As if the machine had been started again since the journal in "/journal" was last open.
void change_boot(FileSystem& file_system);

// Opens it, or fails the test.
std::unique_ptr<Journal> open_journal(const JournalOptions& options, FileSystem& file_system);

inline JournalOptions small_options(std::uint64_t segment_bytes = 1 << 20) {
  JournalOptions options;
  options.folder = "/journal";
  options.segment_bytes = segment_bytes;
  options.sync = JournalOptions::Sync::kNever;
  return options;
}

// Whether the kernel and the file system of `folder` let a file be prepared (File::prepare): asked of them and not of
// the code under test. Else the tests of that are skipped.
bool can_prepare(const std::string& folder);

// Until it holds, at most 30 seconds.
template <class Condition>
bool comes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// A folder of its own under the temporary one, removed with all in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace chat
