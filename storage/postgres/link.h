// A connection that comes back: opens a session when it is needed, drops it when it is lost, and can be interrupted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "storage/postgres/interrupter.h"
#include "storage/postgres/session.h"

namespace chat {

// Threads: one at a time; interrupt() any.
class Link {
 public:
  explicit Link(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  ~Link() { drop(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Calls `work(session)` and answers what it answers. Where a session that was open before turns out to be lost, a new
  // one is opened and `work` called once more: what it does in parts it does in one transaction, and a COMMIT in doubt
  // is not repeated. Other failures come out as a StoreError.
  template <typename Work>
  auto run(Work&& work) {
    using Answer = std::invoke_result_t<Work&, PostgresSession&>;
    if constexpr (std::is_void_v<Answer>) {
      run_once_or_twice(std::forward<Work>(work));
    } else {
      Answer answer{};
      run_once_or_twice([&](PostgresSession& session) { answer = work(session); });
      return answer;
    }
  }

  bool open() const { return session_ != nullptr; }
  void drop() noexcept;
  void interrupt() noexcept { interrupter_.trip(); }

 private:
  PostgresSession& session();
  void run_once_or_twice(const std::function<void(PostgresSession&)>& work);

  const std::string conninfo_;
  Interrupter interrupter_;
  std::unique_ptr<PostgresSession> session_;
};

}  // namespace chat
