// Which segments there are: what the append side, the reader and trim() have to agree on.
//
// Threads: any. Its mutex is held for a few instructions, never across disk work.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/types.h"

namespace chat {

struct Segment {
  Position base = 0;
  Position previous_end = 0;  // where the segment before it ended: `base`, except behind a gap
  Position file_end = 0;      // behind its last byte, once nothing is appended to it any more
  std::uint64_t bytes = 0;    // of the file, likewise
  bool header_damaged = false;
};

class Layout {
 public:
  // The last one is written to: its file_end and bytes are not looked at.
  explicit Layout(std::deque<Segment> segments) : segments_(std::move(segments)) {}

  // The present last segment ends at `end` with a file of `bytes`; `next` follows it.
  void roll(Position end, std::uint64_t bytes, const Segment& next);

  // Takes away, and answers, the segments that hold no position at or above `up_to`.
  std::vector<Segment> trim(Position up_to);

  Position begin() const;

  struct View {
    Segment segment;
    std::optional<Segment> next;  // none: `segment` is written to
  };
  // The segment that a reader at `position` has to look at first: the last one that begins at or in front of it, else
  // the first.
  View find(Position position) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Segment> segments_;  // never empty, `base` rising
};

}  // namespace chat
