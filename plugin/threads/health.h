// Says in the broker's log when PostgreSQL goes away and when it is back: once each, whichever thread notices.
#pragma once

#include <mutex>
#include <string>

#include "plugin/threads/mailbox.h"

namespace chat {

class Health {
 public:
  explicit Health(Mailbox& mailbox) : mailbox_(mailbox) {}

  void away(const std::string& why);  // any thread
  void back();                        // any thread

 private:
  Mailbox& mailbox_;
  std::mutex mutex_;
  bool away_ = false;
};

}  // namespace chat
