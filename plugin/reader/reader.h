// A thread that answers the core's requests from PostgreSQL, in the order in which they came, but each only when
// everything that was journaled before it is committed (its barrier). Loads of conversations that stand behind each
// other are answered together. While PostgreSQL is away requests wait; none is lost. Threads: send() any; the rest its
// own, between start() and stop().
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

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
  std::vector<Request> next();
  void answer_all(const std::vector<Request>& requests);
  Served serve(const std::vector<Request>& requests);
  void give_back(std::vector<Request> requests, Served served);

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
  std::size_t alone_ = 0;  // so many of the next ones are answered each alone: together they could not be
  Worker worker_;
};

}  // namespace chat
