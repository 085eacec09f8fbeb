// Tells each change of the board to those who watch it, and keeps in PostgreSQL what the next bridge starts from, on a
// thread of its own.
//
// Invariants
//  (1) A change is kept only once the broker has acknowledged that everybody was told: a bridge that is killed between
//  leaves it to the next one, which sees the difference. So it is told at least once.
//  (2) While PostgreSQL or the broker is away changes wait, and those that became void are never told.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bridge/presence/presence_board.h"
#include "bridge/rpc/message.h"
#include "storage/presence.h"

namespace chat {

// Threads: wake() and stop() on any; what is handed to the constructor is called on the worker's.
class PresenceWorker {
 public:
  // `done` is to be called once, on any thread, also from within: true: the broker has it.
  using Publish = std::function<void(Outgoing, std::function<void(bool)> done)>;

  // `board` outlives it. Starts the thread. Whatever `done` still holds when the worker is gone does no harm.
  // `await_calm` waits while too much is on its way out already; `now` is the wall clock.
  PresenceWorker(std::string prefix, PresenceBoard& board, std::unique_ptr<PresenceStore> store, Publish publish,
                 std::function<void()> await_calm, std::function<TimeMs()> now);
  ~PresenceWorker();
  PresenceWorker(const PresenceWorker&) = delete;
  PresenceWorker& operator=(const PresenceWorker&) = delete;

  void wake();  // the board has heard something; never waits
  // Ends the thread, also where the store does not answer. Again: nothing.
  void stop();

 private:
  struct Answers;

  void run();
  void step();
  bool tell(const std::vector<PresenceChange>& changes);
  bool stopping();
  bool pause(std::chrono::milliseconds duration);

  const std::string prefix_;
  PresenceBoard& board_;
  const std::unique_ptr<PresenceStore> store_;
  const Publish publish_;
  const std::function<void()> await_calm_;
  const std::function<TimeMs()> now_;
  std::chrono::steady_clock::time_point keep_again_{};  // also where nothing changed

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
