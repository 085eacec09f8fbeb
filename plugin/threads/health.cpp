#include "plugin/threads/health.h"

namespace chat {

void Health::away(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (away_) return;
    away_ = true;
  }
  mailbox_.post(LogLine{LogLevel::kWarning, "PostgreSQL is away, messages wait in the journal: " + why});
}

void Health::back() {
  {
    const std::lock_guard lock(mutex_);
    if (!away_) return;
    away_ = false;
  }
  mailbox_.post(LogLine{LogLevel::kInfo, "PostgreSQL is back"});
}

}  // namespace chat
