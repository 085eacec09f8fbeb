#include "plugin/journal/format.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "plugin/journal/bytes.h"
#include "plugin/journal/checksum.h"

namespace chat {
namespace {

constexpr std::string_view kMagic = "CHATJRNL";
constexpr std::string_view kSuffix = ".seg";
constexpr std::size_t kNameDigits = 16;
constexpr std::size_t kChecksummed = kSegmentHeaderBytes - sizeof(std::uint32_t);

}  // namespace

std::string segment_name(Position base) {
  char name[kNameDigits + 8];
  std::snprintf(name, sizeof name, "%016llx.seg", static_cast<unsigned long long>(base));
  return name;
}

std::optional<Position> segment_base(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  Position base = 0;
  const char* end = name.data() + kNameDigits;
  auto [stop, error] = std::from_chars(name.data(), end, base, 16);
  if (error != std::errc() || stop != end || segment_name(base) != name) return std::nullopt;
  return base;
}

std::string encode_header(const SegmentHeader& header) {
  std::string out(kMagic);
  put(&out, kJournalVersion);
  put(&out, std::uint32_t{0});
  out.append(reinterpret_cast<const char*>(header.journal.data()), header.journal.size());
  put(&out, header.base);
  put(&out, header.previous_end);
  put(&out, header.made_at);
  put(&out, std::uint32_t{0});
  put(&out, crc32c(out.data(), out.size()));
  return out;
}

HeaderState decode_header(std::string_view bytes, SegmentHeader* header, std::uint32_t* version) {
  *version = 0;
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) return HeaderState::kDamaged;
  if (crc32c(bytes.data(), kChecksummed) != get<std::uint32_t>(bytes.data() + kChecksummed)) {
    return HeaderState::kDamaged;
  }
  Fields in(bytes.substr(kMagic.size(), kChecksummed - kMagic.size()));
  std::uint32_t zero = 0;
  in.take(version);
  if (*version != kJournalVersion) return HeaderState::kNewer;
  in.take(&zero);
  in.take_bytes(header->journal.data(), header->journal.size());
  in.take(&header->base);
  in.take(&header->previous_end);
  in.take(&header->made_at);
  return HeaderState::kGood;
}

RecordSeal::RecordSeal(const Uuid& journal) : journal_(crc32c(journal.data(), journal.size())) {}

std::uint32_t RecordSeal::checksum(Position position, std::string_view body) const {
  char where[sizeof position + sizeof(std::uint32_t)];
  const auto length = static_cast<std::uint32_t>(body.size());
  std::memcpy(where, &position, sizeof position);
  std::memcpy(where + sizeof position, &length, sizeof length);
  return crc32c(body.data(), body.size(), crc32c(where, sizeof where, journal_));
}

void RecordSeal::close(Position position, std::string* record) const {
  const std::string_view body = std::string_view(*record).substr(kRecordHeaderBytes);
  const auto length = static_cast<std::uint32_t>(body.size());
  const std::uint32_t crc = checksum(position, body);
  std::memcpy(record->data(), &length, sizeof length);
  std::memcpy(record->data() + sizeof length, &crc, sizeof crc);
}

}  // namespace chat
