// A thread that answers the core's requests from PostgreSQL, in the order in which they came, but each only when
// everything that was journaled before it is committed (its barrier). While PostgreSQL is away requests wait; none is
// lost. Threads: send() any; the rest its own, between start() and stop().
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "plugin/core/clock.h"
#include "plugin/reader/answers.h"
#include "plugin/threads/health.h"
#include "plugin/threads/mailbox.h"
#include "plugin/threads/progress.h"
#include "plugin/threads/worker.h"

namespace chat {

class Reader {
 public:
  // All references outlive the object. `name` shows in top -H.
  Reader(std::string name, const AnswerOptions& options, std::unique_ptr<Store> store, const Clock& clock,
         Mailbox& mailbox, Health& health, Progress& progress);
  ~Reader();

  void start();
  void stop();
  void send(Request request);
  void progressed();  // the barrier of a waiting request may have been reached

 private:
  enum class Served { kAnswered, kAway, kFailed };

  void run();
  std::optional<Request> next();
  Served serve(const Request& request);
  void give_back(Request request, Served served);

  std::string name_;
  AnswerOptions options_;
  std::unique_ptr<Store> store_;
  const Clock& clock_;
  Mailbox& mailbox_;
  Health& health_;
  Progress& progress_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  Worker worker_;
};

}  // namespace chat
