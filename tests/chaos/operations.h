// The operations log of a run: what every client did and was given, line by line, in the order in which it was seen.
// The workload writes it, the checker reads it afterwards and believes nothing else but PostgreSQL.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace chat::test {

// What one line tells. Fields that a kind doesn't name are empty or 0.
enum class Did : std::uint8_t {
  kSession,   // a connection is tried; text: "clean", or "resumed" where the client asks for what the broker kept
  kOpened,    // the broker has acknowledged the subscription of the session, or its chat/sync
  kPublish,   // id, conv, seq (of what a command is about), code: QoS; text: the operation and its value
  kAccepted,  // id; code: the reason code of PUBACK or PUBCOMP (QoS 0: it was written)
  kRefused,   // id; text: the code on the error topic
  kSent,      // id, conv, seq; code: 1 PostgreSQL had it when `sent` came, 0 it had not, -1 not looked
  kMessage,   // on the inbox: conv, seq, id; bytes; text: "", "edited" or "recalled"
  kEvent,     // conv, seq (the message it is about), code: rev; text: the kind
  kHeld,      // conv, seq, code: rev: the broker has acknowledged that this device has everything up to there
  kTotal,     // on unread/total; text
  kFault,     // id: which; text: "begins" or "over"
  kPause,     // code: microseconds that the broker took to answer a publish
};

struct Operation {
  std::int64_t at_us = 0;  // since the run began
  Did did = Did::kSession;
  std::string device{};
  std::string conv{};
  std::int64_t seq = 0;
  std::string id{};
  std::int64_t code = 0;
  std::uint64_t bytes = 0;  // a hash of the payload
  std::string text{};
};

// Threads: any.
class OperationsFile {
 public:
  explicit OperationsFile(std::string path);

  void add(Operation operation);  // takes the time
  const std::string& path() const { return path_; }
  std::chrono::microseconds now() const;
  void flush();

 private:
  const std::string path_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::ofstream file_;
};

// Whole lines; one that is still being written is left out. Throws std::runtime_error where a line is none of ours.
std::vector<Operation> read_operations(const std::string& path);

// Equal for equal bytes within one program.
std::uint64_t hash_of(std::string_view bytes);

}  // namespace chat::test
