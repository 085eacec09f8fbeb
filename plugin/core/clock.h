// The seam to time. Production uses system_clock(); tests turn the hands.
#pragma once

#include "storage/types.h"

namespace chat {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now() const = 0;     // the wall clock, which may be set back
  virtual TimeMs steady() const = 0;  // milliseconds since some start, never falling
};

const Clock& system_clock();

}  // namespace chat
