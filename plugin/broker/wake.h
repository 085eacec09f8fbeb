// Wakes the broker's thread when a notice waits for it. Mosquitto offers no call for that, so it is interrupted in its
// epoll wait by a signal whose handler does nothing; it then ticks, and the tick drains the mailbox.
//
// A signal can fall between the broker's look at the clock and its wait, and Mosquitto 2.1 sends what a tick published
// only after the next wait. So the signal is repeated until the mailbox was drained and one more tick was seen behind
// that. Threads: ring() any; ticked() the broker's.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "plugin/threads/worker.h"

namespace chat {

class Wake {
 public:
  // Takes the calling thread as the broker's, and the signal's handler.
  Wake();
  ~Wake();

  void start();
  void stop();
  void ring();
  void ticked();  // behind the drain

 private:
  void run();

  pthread_t broker_thread_;
  Worker worker_;
  std::mutex mutex_;
  std::condition_variable rung_;
  bool pending_ = false;
  std::atomic<std::uint64_t> ticks_{0};
};

}  // namespace chat
