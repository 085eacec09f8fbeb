// What the journal's benchmarks write: one message, always the same.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "plugin/journal/format.h"
#include "plugin/journal/record.h"

namespace chat::bench {

inline constexpr std::size_t kRecordBytes = 300;  // in the file, with length and checksum

class TempFolder {
 public:
  TempFolder() {
    path_ = (std::filesystem::temp_directory_path() / "chat-journal-bench-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline MessageRecord message() {
  MessageRecord record;
  record.message.conv_id = 7;
  record.message.conv = "g:0192d1b0c6a87c3f";
  record.message.seq = 1;
  record.message.server_time = 1'700'000'000'000;
  record.message.sender = "alice";
  record.message.id = "0192d1b0-c6a8-7c3f-9c2e-8a7b6c5d4e3f";
  record.device = "alice-phone";
  std::string body;
  encode(record, &body);
  record.message.payload.assign(kRecordBytes - kRecordHeaderBytes - body.size(), 'x');
  return record;
}

}  // namespace chat::bench
