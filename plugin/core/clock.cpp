#include "plugin/core/clock.h"

#include <chrono>

namespace chat {
namespace {

template <typename SomeClock>
TimeMs milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SomeClock::now().time_since_epoch()).count();
}

class SystemClock : public Clock {
 public:
  TimeMs now() const override { return milliseconds<std::chrono::system_clock>(); }
  TimeMs steady() const override { return milliseconds<std::chrono::steady_clock>(); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace chat
