// Reads what a client published, once, and says what is wrong with it. Nothing here knows of conversations or members.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/core/refusal.h"
#include "storage/types.h"

namespace chat {

inline constexpr std::size_t kMessageIdMax = 64;                 // bytes
inline constexpr std::size_t kMentionsMax = 100;                 // users named by one message
inline constexpr std::int64_t kTtlMax = 10LL * 365 * 24 * 3600;  // seconds
inline constexpr std::size_t kAckEntriesMax = 10'000;            // conversations in one acknowledgement

// The id that a client gave to what it published, kept in place: most are longer than what a std::string keeps in
// itself, and every message has one.
class ClientsId {
 public:
  ClientsId() = default;  // none
  // `text` has kMessageIdMax bytes at most.
  explicit ClientsId(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    std::copy(text.begin(), text.end(), bytes_.begin());
  }
  operator std::string_view() const {
    return {bytes_.data(), size_};
  }  // NOLINT(google-explicit-constructor): it is one
  bool empty() const { return size_ == 0; }
  friend bool operator==(const ClientsId& one, std::string_view other) { return std::string_view(one) == other; }

 private:
  std::array<char, kMessageIdMax> bytes_{};
  std::uint8_t size_ = 0;
};

// A message as its sender wrote it.
struct AdmittedMessage {
  std::string_view payload;  // from the opening brace to the last byte: a view into what was published
  ClientsId id;
  MessageType type = MessageType::kText;
  Seq reply_to = 0;
  std::int64_t ttl_s = 0;
  std::vector<std::string> mentions;
};

struct AdmittedCursor {
  std::string conv;
  Seq delivered = 0;
  Rev rev = 0;
  Seq read = 0;
};

// {"seq":n, …} of recall, edit, react.
struct AdmittedCommand {
  std::string_view payload;
  Seq seq = 0;
  ClientsId id;
};

struct AdmittedTyping {
  bool on = false;
};

struct AdmittedRequest {
  std::string_view payload;
  ClientsId id;
};

// Only the server writes "forwarded", and its bytes are no part of the sender's limit.
enum class Author : std::uint8_t { kClient, kServer };

template <typename T>
using Admission = std::variant<T, Refusal>;

// Holds the parser's buffers, which are reused: one thread, and a result's views end with the published bytes, not with
// the next call.
class Admitter {
 public:
  explicit Admitter(std::size_t message_bytes_max);
  ~Admitter();

  Admission<AdmittedMessage> message(std::string_view published, Author author = Author::kClient);
  // `read`: the topic was c/{conv}/read and not …/delivered. `conv` stays empty.
  Admission<AdmittedCursor> cursor(std::string_view published, bool read);
  Admission<std::vector<AdmittedCursor>> ack_many(std::string_view published);
  // `operation`: "recall", "edit" or "react".
  Admission<AdmittedCommand> command(std::string_view operation, std::string_view published);
  Admission<AdmittedTyping> typing(std::string_view published);
  Admission<AdmittedRequest> request(std::string_view published);

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
  std::size_t message_bytes_max_;
};

}  // namespace chat
