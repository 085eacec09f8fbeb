// How the broker's thread shares a processor.
#pragma once

#include <cstdint>

namespace chat {

// The first version of the kernel's `struct sched_attr`, which has all that is wanted: <linux/sched/types.h> can't be
// included beside <sched.h> on Debian 12, and the C library has it from glibc 2.41 on only.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

inline constexpr std::uint64_t kShortestTurnNs = 100'000;  // Linux grants no less

// Asks Linux to let the calling thread run soon after it wakes, in return for shorter turns: it is mostly asleep, and
// what it waits behind (PostgreSQL, our own threads) is not in a hurry. Neither its priority nor its share changes, and
// no privilege is needed. From Linux 6.12 on (sched_setattr(2), "sched_runtime" of SCHED_OTHER); nothing happens before
// that, nor where an operator gave the broker another policy. Threads that are made later inherit it.
void take_short_turns();

}  // namespace chat
