// Carries requests from the link's thread to a thread of its own, where handlers may take their time, and their answers
// back.
#pragma once

#include <functional>
#include <thread>

#include "bridge/request_queue.h"
#include "bridge/rpc/desk.h"

namespace chat {

// Threads: accept() on any thread, and it never waits for a handler; `publish` is called on accept()'s thread, the
// worker's and stop()'s, also at the same time.
class RequestWorker {
 public:
  using Publish = std::function<void(Outgoing)>;

  // `desk` outlives the worker. Starts the thread. `publish` must not wait. `await_calm` is called before each request
  // is taken from the queue, and waits while too many answers are on their way out already.
  RequestWorker(const Desk& desk, Publish publish, std::function<void()> await_calm, QueueLimits limits = {});
  ~RequestWorker();
  RequestWorker(const RequestWorker&) = delete;
  RequestWorker& operator=(const RequestWorker&) = delete;

  // Queues a request. One that finds the queue full, or the worker stopped, is answered `unavailable` at once.
  void accept(Incoming incoming);

  // Lets the handler that is running finish, answers `unavailable` to those that wait, and ends the thread. Again:
  // nothing.
  void stop();

 private:
  void run();
  void deliver(Handled handled);

  const Desk& desk_;
  const Publish publish_;
  const std::function<void()> await_calm_;
  RequestQueue queue_;
  std::thread thread_;
};

}  // namespace chat
