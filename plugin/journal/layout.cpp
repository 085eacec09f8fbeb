#include "plugin/journal/layout.h"

#include <algorithm>
#include <iterator>

namespace chat {

void Layout::roll(Position end, std::uint64_t bytes, const Segment& next) {
  std::lock_guard lock(mutex_);
  segments_.back().file_end = end;
  segments_.back().bytes = bytes;
  segments_.push_back(next);
}

std::vector<Segment> Layout::trim(Position up_to) {
  std::lock_guard lock(mutex_);
  std::vector<Segment> gone;
  // A segment that lost its tail still answers for the positions up to where the next one begins.
  while (segments_.size() > 1 && segments_[1].previous_end <= up_to) {
    gone.push_back(segments_.front());
    segments_.pop_front();
  }
  return gone;
}

Position Layout::begin() const {
  std::lock_guard lock(mutex_);
  return segments_.front().base;
}

Layout::View Layout::find(Position position) const {
  std::lock_guard lock(mutex_);
  auto behind = std::upper_bound(segments_.begin(), segments_.end(), position,
                                 [](Position p, const Segment& segment) { return p < segment.base; });
  const auto found = behind == segments_.begin() ? behind : std::prev(behind);
  View view{*found, std::nullopt};
  if (const auto next = std::next(found); next != segments_.end()) view.next = *next;
  return view;
}

}  // namespace chat
