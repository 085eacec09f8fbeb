// Which of several bridges works: the one that holds a lock in PostgreSQL, which ends with its connection.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "storage/errors.h"

namespace chat {

// Threads: one at a time; interrupt() any.
class LeaderLock {
 public:
  virtual ~LeaderLock() = default;

  // True: it is held from now on. False: somebody else holds it. Throws StoreUnavailable.
  virtual bool take() = 0;

  // Waits up to `timeout`, and throws StoreUnavailable as soon as the lock may be lost.
  virtual void watch(std::chrono::milliseconds timeout) = 0;

  // Makes a call that is blocked, and all later ones, fail soon with StoreUnavailable.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<LeaderLock> open_postgres_leader_lock(const std::string& uri, std::string_view application_name);

}  // namespace chat
