// The bytes round the records: segment names, segment headers, lengths and checksums. The page: docs/journal-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/journal/record.h"

namespace chat {

inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kRecordHeaderBytes = 8;
inline constexpr Position kFirstPosition = kSegmentHeaderBytes;  // so that 0 names no record
inline constexpr Position kPowerCutGap =
    1ULL << 40;  // more than any machine writes between two writebacks of its page cache

struct SegmentHeader {
  Uuid journal{};
  Position base = 0;
  Position previous_end = 0;
  TimeMs made_at = 0;

  bool operator==(const SegmentHeader&) const = default;
};

std::string segment_name(Position base);
std::optional<Position> segment_base(std::string_view name);  // nullopt: not a segment's name

std::string encode_header(const SegmentHeader& header);

enum class HeaderState {
  kGood,
  kDamaged,  // too short, no magic, or a wrong checksum
  kNewer,    // of a version that this program does not know
};
HeaderState decode_header(std::string_view bytes, SegmentHeader* header, std::uint32_t* version);

// What a record's checksum is taken over besides its body. One object a journal.
class RecordSeal {
 public:
  explicit RecordSeal(const Uuid& journal);

  std::uint32_t checksum(Position position, std::string_view body) const;

  // Fills the kRecordHeaderBytes at the front of `record`, whose body stands behind them already.
  void close(Position position, std::string* record) const;

 private:
  std::uint32_t journal_;
};

// Nonsense that no append() writes, told without reading the body: what keeps the search for a whole record cheap.
inline bool plausible_length(std::uint32_t length) {
  return length >= 1 && length <= kRecordBytesMax;
}
inline bool plausible_type(char type) {
  return type >= 'A' && type <= 'Z';
}

}  // namespace chat
