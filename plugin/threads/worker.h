// A thread of ours inside the broker: blocks every signal (they belong to the broker's thread), carries a name that
// shows in top -H, and can be told to stop while it sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace chat {

class Worker {
 public:
  Worker() = default;
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `name`: at most 15 bytes. `run` returns soon after stopping() is true.
  void start(const std::string& name, std::function<void()> run);
  // Says stopping, calls `wake` (to end whatever `run` waits in), joins. Once or often.
  void stop(const std::function<void()>& wake = nullptr);

  bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  // Sleeps, unless stopping; false: stopping.
  bool sleep(std::chrono::milliseconds duration);

 private:
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable stopped_;
};

}  // namespace chat
