// Listens on chat_changed, on a connection of its own: one that waits can't be asked anything else.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "storage/postgres/interrupter.h"
#include "storage/postgres/session.h"
#include "storage/store.h"

namespace chat {

// Threads: one at a time; interrupt() any.
class PostgresChangeFeed {
 public:
  explicit PostgresChangeFeed(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~PostgresChangeFeed() { drop(); }
  PostgresChangeFeed(const PostgresChangeFeed&) = delete;
  PostgresChangeFeed& operator=(const PostgresChangeFeed&) = delete;

  std::vector<Change> wait(std::chrono::milliseconds timeout);  // as ChangeFeed::wait()
  void interrupt() noexcept { interrupter_.trip(); }

 private:
  void drop() noexcept;
  void listen();
  void collect(std::chrono::milliseconds timeout);

  const std::string conninfo_;
  Interrupter interrupter_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<compat::Listener> listener_;  // goes before the session
  std::vector<Change> changes_;
};

}  // namespace chat
