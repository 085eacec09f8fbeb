// Pushes unread counts to those who are connected and want them, on two threads of its own: one hears what changes in
// PostgreSQL, the other asks how people stand, and publishes. The decisions are the board's.
//
// Nothing of this is kept anywhere: whoever connects is told the present state, and a bridge that starts, or whose
// connection to either side was lost, begins anew.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "bridge/rpc/message.h"
#include "bridge/unread/unread_board.h"
#include "storage/unread.h"

namespace chat {

// Threads: hear() and stop() on any; `publish`, which may wait, is called on the worker's.
class UnreadWorker {
 public:
  struct Surroundings {
    std::string prefix;
    std::unique_ptr<UnreadStore> store;
    std::unique_ptr<ActivityFeed> feed;
    std::function<void(Outgoing)> publish;
    std::function<TimeMs()> now;
  };

  explicit UnreadWorker(Surroundings surroundings);
  ~UnreadWorker();
  UnreadWorker(const UnreadWorker&) = delete;
  UnreadWorker& operator=(const UnreadWorker&) = delete;

  // Does not wait.
  void hear(SessionSignals signals);
  // Ends the threads, also where the store does not answer. Again: nothing.
  void stop();

 private:
  using News = std::variant<SessionSignals, Activity>;

  void listen();
  void work();
  void put(News news);
  // Waits until there is something to do; false: it is time to stop.
  bool await_work();
  bool pause_for(std::chrono::milliseconds duration);
  void ask();
  void tell(const UnreadNews& news);

  const Surroundings around_;
  UnreadBoard board_;  // the working thread's

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<News> heard_;
  bool stopping_ = false;
  std::thread listening_;
  std::thread working_;
};

}  // namespace chat
