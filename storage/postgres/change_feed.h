// Hears on chat_changed what brokers have to load again.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "storage/postgres/notice_feed.h"
#include "storage/store.h"

namespace chat {

// Threads: one at a time; interrupt() any.
class PostgresChangeFeed {
 public:
  explicit PostgresChangeFeed(std::string conninfo) : notices_(std::move(conninfo), "chat_changed") {}

  std::vector<Change> wait(std::chrono::milliseconds timeout);  // as ChangeFeed::wait()
  void interrupt() noexcept { notices_.interrupt(); }

 private:
  NoticeFeed notices_;
};

}  // namespace chat
