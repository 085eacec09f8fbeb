// What the journal holds, as values. How they look as bytes: docs/journal-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "storage/types.h"

namespace chat {

// What a MessageRecord holds, where it lies already: a publish is written from the sender's own bytes, without a copy
// of each field first. What it refers to outlives it.
struct MessageView {
  ConvId conv_id = 0;
  std::string_view conv;
  Seq seq = 0;
  TimeMs server_time = 0;
  std::string_view sender;
  std::string_view id;
  Uuid mid{};
  MessageType type = MessageType::kText;
  Seq reply_to = 0;
  std::int64_t ttl_s = 0;
  std::span<const std::string> mentions;
  std::string_view payload;
  std::string_view device;
  Position resolves = 0;
};

// A message that was admitted, numbered and stamped. Whoever finds it in the journal may deliver and commit it as it
// is.
struct MessageRecord {
  StoredMessage message;  // with conv_id; `conv` as well, for people who read the file
  std::string device;     // of the sender
  Position resolves = 0;  // the ParkedRecord that this message came from; 0 = none

  operator MessageView() const;  // NOLINT(google-explicit-constructor): the same, seen
  bool operator==(const MessageRecord&) const = default;
};

struct CursorRecord {
  CursorUpdate cursor;
  Position resolves = 0;

  bool operator==(const CursorRecord&) const = default;
};

struct CommandRecord {
  StoredCommand command;  // `position` is not written: it is the record's own
  Position resolves = 0;

  bool operator==(const CommandRecord&) const = default;
};

// A publish that was accepted before its conversation or sender was in memory: it waits for them, and survives a crash
// meanwhile. A record with `resolves` ends the wait.
struct ParkedRecord {
  std::string user;
  std::string device;
  std::string topic;
  std::string payload;
  TimeMs at = 0;
  std::uint8_t qos = 0;

  bool operator==(const ParkedRecord&) const = default;
};

// The end of a parked publish that led to no other record: it was refused, or a retry of something known.
struct ResolvedRecord {
  Position resolves = 0;

  bool operator==(const ResolvedRecord&) const = default;
};

// The largest body that append() takes. Options that bound a message lie well below it.
inline constexpr std::size_t kRecordBytesMax = 2U << 20;

using Record = std::variant<MessageRecord, CursorRecord, CommandRecord, ParkedRecord, ResolvedRecord>;

// Appends the record's body (type byte and fields; no length, no checksum) to `out`.
void encode(const MessageView& record, std::string* out);
void encode(const CursorRecord& record, std::string* out);
void encode(const CommandRecord& record, std::string* out);
void encode(const ParkedRecord& record, std::string* out);
void encode(const ResolvedRecord& record, std::string* out);

// False: the bytes are not a whole record of a known type (which behind a right checksum means a newer program wrote
// it); *record then holds anything. Reuses the memory of a record of the same type.
bool decode(std::string_view body, Record* record);

}  // namespace chat
