// How much of the segment's file is made ready for append(), and when: nothing while little is appended, under load
// twice what a round needs. It is no more because it costs the disk: each sync writes what is ready and not used yet,
// as zeros. At the default interval that doubles what the journal writes under load; a sync every 10 ms was seen to
// write fourteen times as much, so with intervals that short nothing is made ready.
//
// Threads: asks_for_more() on the append side; the others on the journal's own thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "plugin/journal/file.h"
#include "storage/types.h"

namespace chat {

class Preparer {
 public:
  static constexpr std::chrono::milliseconds kRound{100};
  static constexpr std::chrono::milliseconds kIntervalMin{50};  // of syncs
  static constexpr std::uint64_t kNever = ~0ULL;
  static constexpr std::uint64_t kAheadMin = 64U << 10;
  // At 25 MB/s, the most that a broker was seen to append, 40 ms: a sync of that much takes less on most disks, and
  // where it takes longer append() goes the long way for the rest.
  static constexpr std::uint64_t kAheadMax = 1U << 20;

  // From `from` bytes a round on, or kNever. No file is made longer than `size_max`, rounded up to a page; `end` is the
  // journal's.
  Preparer(std::uint64_t from, std::uint64_t size_max, Position end) : from_(from), size_max_(size_max), seen_(end) {}

  // Half of what should be ready is used up, and nobody has been told yet: wake the thread that calls prepare().
  bool asks_for_more(const File& file) {
    const std::uint64_t ahead = ahead_.load(std::memory_order_relaxed);
    if (ahead == 0 || file.prepared() >= ahead / 2 || wanted()) return false;
    wanted_.store(true, std::memory_order_relaxed);
    return true;
  }
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  // Once a round: `end` is the journal's now.
  void measure(Position end) {
    const std::uint64_t appended = end - seen_;
    seen_ = end;
    ahead_.store(appended >= from_ ? std::clamp(2 * appended, kAheadMin, kAheadMax) : 0, std::memory_order_relaxed);
  }

  // `file` is the keeper of the one that is appended to, or was a moment ago.
  void prepare(FileKeeper& file) {
    wanted_.store(false, std::memory_order_relaxed);
    const std::uint64_t ahead = ahead_.load(std::memory_order_relaxed);
    // Where it can't, nobody asks again before the next round.
    if (ahead != 0 && !file.prepare(ahead, size_max_)) ahead_.store(0, std::memory_order_relaxed);
  }

 private:
  const std::uint64_t from_;
  const std::uint64_t size_max_;
  Position seen_;
  std::atomic<std::uint64_t> ahead_{0};  // bytes that should be ready
  std::atomic<bool> wanted_{false};
};

}  // namespace chat
