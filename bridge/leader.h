// Of all bridges on one database one works, and another takes over when it is gone.
//
// Three states. Standing by: tries for the lock each second. Leading: holds it, and watches its connection. Unsure: the
// connection is lost, and with it perhaps the lock: nothing is applied until it is held again; if somebody else has it,
// this bridge stands by.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "storage/leader_lock.h"

namespace chat {

// What happens at each change; called on the leader's thread, one at a time. None may throw.
struct LeaderDuties {
  std::function<void()> lead;      // from standing by, or from being unsure
  std::function<void()> unsure;    // from leading
  std::function<void()> stand_by;  // from being unsure
};

class Leader {
 public:
  Leader(std::unique_ptr<LeaderLock> lock, LeaderDuties duties);
  ~Leader();
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;

  // Starts a thread, standing by. Once.
  void start();
  // Ends the thread, whatever it is doing; calls no duty. Again: nothing.
  void stop();

 private:
  enum class State { kStandby, kLeading, kUnsure };

  void run();
  void step();
  void failed(const std::string& why);
  void pause(std::chrono::milliseconds duration);

  const std::unique_ptr<LeaderLock> lock_;
  const LeaderDuties duties_;
  State state_ = State::kStandby;
  bool said_away_ = false;
  bool said_standby_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
