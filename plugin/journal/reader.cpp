#include "plugin/journal/reader.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "plugin/journal/recovery.h"

namespace chat {

FileJournalReader::FileJournalReader(FileSystem& file_system, std::string folder, const RecordSeal& seal,
                                     const Layout& layout, const std::atomic<Position>& end, Position from)
    : file_system_(file_system), folder_(std::move(folder)), seal_(seal), layout_(layout), end_(end), position_(from) {}

JournalReader::Result FileJournalReader::next(Record* record, Position* position) {
  error_.clear();
  while (true) {
    if (!started_ || scanner_ == nullptr || position_ >= limit_) {
      const Step step = started_ ? refresh() : start();
      if (step == Step::kEnd) return Result::kEnd;
      if (step == Step::kCorrupt) return Result::kCorrupt;
      continue;
    }
    std::string_view body;
    Position behind = 0;
    const Position at = position_;
    if (scanner_->at(at, limit_, &body, &behind) != SegmentScanner::Found::kRecord) {
      position_ = scanner_->find(at + 1, limit_);
      const int read_error = scanner_->take_read_error();
      return corrupt(
          at, position_,
          read_error == 0 ? "no whole record" : "unreadable: " + std::generic_category().message(read_error));
    }
    position_ = behind;
    if (!decode(body, record)) {
      return corrupt(at, behind, std::string("a record of unknown shape, type '") + body[0] + "': by a newer program?");
    }
    if (auto* command = std::get_if<CommandRecord>(record)) command->command.position = at;
    if (position != nullptr) *position = at;
    return Result::kRecord;
  }
}

FileJournalReader::Step FileJournalReader::start() {
  const Position end = end_.load(std::memory_order_acquire);
  const Layout::View view = layout_.find(position_);
  const Segment& segment = view.segment;
  started_ = true;
  base_ = segment.base;
  const Position from = position_;
  if (from < segment.base) {
    position_ = segment.base;
    if (from < segment.previous_end) {
      corrupt(from, segment.previous_end, "missing in front of the journal's oldest segment");
      return Step::kCorrupt;
    }
  } else if (from > end) {
    // A position that this folder never gave: it was put back from an older copy.
    position_ = end;
    corrupt(from, end, "behind the journal's end: is its folder an older copy?");
    return Step::kCorrupt;
  }
  return Step::kReadOn;
}

FileJournalReader::Step FileJournalReader::refresh() {
  // In this order: a segment that is the last one after `end` was loaded holds everything below it.
  const Position end = end_.load(std::memory_order_acquire);
  if (position_ == end) return Step::kEnd;
  const Layout::View view = layout_.find(base_);
  if (view.segment.base != base_) {  // trimmed: rightly so where it had been read to its end
    const Position from = position_;
    base_ = view.segment.base;
    position_ = std::max(from, base_);
    scanner_.reset();
    limit_ = 0;
    if (from < view.segment.previous_end) {
      corrupt(from, view.segment.previous_end, "trimmed before it was read");
      return Step::kCorrupt;
    }
    return Step::kReadOn;
  }
  if (scanner_ == nullptr) {
    const Step step = enter(view.segment);
    if (step != Step::kReadOn) return step;
  }
  limit_ = view.next ? std::min(view.segment.file_end, view.next->previous_end) : end;
  if (position_ < limit_) return Step::kReadOn;
  if (!view.next) return Step::kEnd;
  const Position from = position_;
  scanner_.reset();
  base_ = view.next->base;
  position_ = std::max(from, base_);
  limit_ = 0;
  if (from < view.next->previous_end) {
    corrupt(from, view.next->previous_end, "lost in front of segment " + segment_name(base_));
    return Step::kCorrupt;
  }
  return Step::kReadOn;
}

FileJournalReader::Step FileJournalReader::enter(const Segment& segment) {
  const std::string path = folder_ + "/" + segment_name(segment.base);
  std::unique_ptr<File> file;
  const int error = file_system_.open(path, FileSystem::Mode::kRead, &file, nullptr);
  if (error != 0) {
    // Most likely too many open files: nothing is lost by trying again, and all would be by going on behind it.
    error_ = failure("open", path, error);
    return Step::kEnd;
  }
  scanner_ = std::make_unique<SegmentScanner>(std::move(file), seal_, segment.base);
  if (segment.header_damaged && position_ == segment.base) {
    error_ = "journal: the header of segment " + path + " is damaged; its records are read all the same";
    limit_ = 0;
    return Step::kCorrupt;
  }
  return Step::kReadOn;
}

JournalReader::Result FileJournalReader::corrupt(Position from, Position to, const std::string& why) {
  const Position bytes = to > from ? to - from : from - to;
  error_ = "journal " + folder_ + ": " + std::to_string(bytes) + " bytes from position " + std::to_string(from) +
           " to " + std::to_string(to) + ": " + why;
  return Result::kCorrupt;
}

}  // namespace chat
