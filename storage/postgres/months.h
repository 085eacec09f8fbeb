// The UTC month of a time: what a partition of the messages holds.
#pragma once

#include <chrono>

#include "storage/types.h"

namespace chat {

// Counts months without a gap; the number itself means nothing.
inline int month_of(TimeMs time) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(time)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
  return static_cast<int>(day.year()) * 12 + static_cast<int>(static_cast<unsigned>(day.month()));
}

}  // namespace chat
