// The time that is written down, as against the one that only measures.
#pragma once

#include <chrono>

#include "storage/types.h"

namespace chat {

// Milliseconds since the Unix epoch, UTC.
inline TimeMs wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace chat
