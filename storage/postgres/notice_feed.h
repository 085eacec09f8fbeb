// Listens on one channel of PostgreSQL, on a connection of its own: one that waits can't be asked anything else.
#pragma once

#include <chrono>
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
  void interrupt() noexcept { interrupter_.trip(); }

 private:
  void drop() noexcept;
  void listen();
  void collect(std::chrono::milliseconds timeout);

  const std::string conninfo_;
  const char* const channel_;
  Interrupter interrupter_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<compat::Listener> listener_;  // goes before the session
  std::vector<std::string> notices_;
};

}  // namespace chat
