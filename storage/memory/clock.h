// The twin's clock, for what the database would date itself.
#pragma once

#include <chrono>

#include "storage/types.h"

namespace chat {

inline TimeMs clock_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace chat
