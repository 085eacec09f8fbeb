// Listens on one channel of PostgreSQL, on a connection of its own: one that waits can't be asked anything else.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/postgres/interrupter.h"
#include "storage/postgres/session.h"

namespace chat {

// Threads: one at a time; interrupt() any.
class NoticeFeed {
 public:
  NoticeFeed(std::string conninfo, const char* channel) : conninfo_(std::move(conninfo)), channel_(channel) {}
  ~NoticeFeed() { drop(); }
  NoticeFeed(const NoticeFeed&) = delete;
  NoticeFeed& operator=(const NoticeFeed&) = delete;

  // Waits up to `timeout` for notices. nullopt: a connection was opened just now, so that earlier ones may have been
  // missed. An empty answer: there were none. Throws StoreUnavailable.
  std::optional<std::vector<std::string>> wait(std::chrono::milliseconds timeout);
  // The same without waiting: every notice of a transaction whose COMMIT was answered before the call is in this answer
  // or was in an earlier one. PostgreSQL signals listeners before it answers a COMMIT, and hands a listener its notices
  // before it says that a statement is done: so one statement that does nothing brings them.
  std::optional<std::vector<std::string>> so_far();
  void interrupt() noexcept { interrupter_.trip(); }

 private:
  std::optional<std::vector<std::string>> take(const std::function<void()>& collect);
  void drop() noexcept;
  void listen();
  void collect(std::chrono::milliseconds timeout);

  const std::string conninfo_;
  const char* const channel_;
  Interrupter interrupter_;
  std::unique_ptr<PostgresSession> session_;
  std::unique_ptr<compat::Listener> listener_;  // goes before the session
  std::vector<std::string> notices_;
};

}  // namespace chat
