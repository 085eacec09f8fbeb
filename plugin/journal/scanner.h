// Reads the records of one segment, and finds the next whole one behind damage. Shared by the reader and by open().
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugin/journal/file.h"
#include "plugin/journal/format.h"

namespace chat {

class SegmentScanner {
 public:
  enum class Found {
    kRecord,
    kEnd,  // `position` is `limit`
    kBad,  // no whole record starts here
  };

  // `seal` outlives it. `base` is the segment's.
  SegmentScanner(std::shared_ptr<File> file, const RecordSeal& seal, Position base);

  // Looks at `position`; bytes at and behind `limit` are not there. `*body` is valid until the next call.
  Found at(Position position, Position limit, std::string_view* body, Position* next);

  // Where the first whole record at or behind `position` starts, or `limit`.
  Position find(Position position, Position limit);

  // errno of the last page that could not be read and was taken for zeros; 0 = none since the last call.
  int take_read_error();

 private:
  // Exactly `size` bytes at `position`; the caller has checked that they lie in front of `limit`.
  std::string_view bytes(Position position, std::size_t size, Position limit);
  void fill(Position position, std::size_t size);

  std::shared_ptr<File> file_;
  const RecordSeal& seal_;
  Position base_;
  std::string window_;
  Position window_at_ = 0;
  int read_error_ = 0;
};

}  // namespace chat
