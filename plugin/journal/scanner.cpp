#include "plugin/journal/scanner.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "plugin/journal/bytes.h"

namespace chat {
namespace {

constexpr std::size_t kChunkBytes = 1U << 20;
constexpr std::size_t kPageBytes = 4096;

}  // namespace

SegmentScanner::SegmentScanner(std::shared_ptr<File> file, const RecordSeal& seal, Position base)
    : file_(std::move(file)), seal_(seal), base_(base) {}

SegmentScanner::Found SegmentScanner::at(Position position, Position limit, std::string_view* body, Position* next) {
  if (position >= limit) return Found::kEnd;
  const Position left = limit - position;
  if (left < kRecordHeaderBytes + 1) return Found::kBad;
  const std::string_view head = bytes(position, kRecordHeaderBytes + 1, limit);
  const auto length = get<std::uint32_t>(head.data());
  const auto crc = get<std::uint32_t>(head.data() + sizeof length);
  if (!plausible_length(length) || !plausible_type(head[kRecordHeaderBytes])) return Found::kBad;
  if (left < kRecordHeaderBytes + length) return Found::kBad;
  const std::string_view record = bytes(position, kRecordHeaderBytes + length, limit);
  *body = record.substr(kRecordHeaderBytes);
  if (seal_.checksum(position, *body) != crc) return Found::kBad;
  *next = position + record.size();
  return Found::kRecord;
}

Position SegmentScanner::find(Position position, Position limit) {
  std::string_view body;
  Position next = 0;
  for (; position < limit; ++position) {
    if (at(position, limit, &body, &next) == Found::kRecord) return position;
  }
  return limit;
}

int SegmentScanner::take_read_error() {
  return std::exchange(read_error_, 0);
}

std::string_view SegmentScanner::bytes(Position position, std::size_t size, Position limit) {
  if (position < window_at_ || position + size > window_at_ + window_.size()) {
    const auto there = static_cast<std::size_t>(std::min<Position>(limit - position, std::max(size, kChunkBytes)));
    fill(position, there);
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(position - window_at_), size);
}

void SegmentScanner::fill(Position position, std::size_t size) {
  window_.resize(size);
  window_at_ = position;
  const std::uint64_t offset = position - base_ + kSegmentHeaderBytes;
  std::size_t got = 0;
  int error = file_->read(offset, window_.data(), size, &got);
  if (error == 0 && got == size) return;
  if (error == 0) {  // shorter than it was said to be: somebody else cut it
    std::memset(window_.data() + got, 0, size - got);
    read_error_ = EIO;
    return;
  }
  // Part of the chunk is unreadable. Page by page, so that no more is lost than must be.
  for (std::size_t at = 0; at < size;) {
    const std::size_t step = std::min(size - at, kPageBytes - static_cast<std::size_t>((offset + at) % kPageBytes));
    error = file_->read(offset + at, window_.data() + at, step, &got);
    if (error != 0 || got != step) {
      std::memset(window_.data() + at, 0, step);
      read_error_ = error != 0 ? error : EIO;
    }
    at += step;
  }
}

}  // namespace chat
