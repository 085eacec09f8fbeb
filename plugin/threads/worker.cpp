#include "plugin/threads/worker.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace chat {

void Worker::start(const std::string& name, std::function<void()> run) {
  // Blocked before the thread exists: it inherits the mask, so there is no moment in which it could take a signal.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread(std::move(run));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void Worker::stop(const std::function<void()>& wake) {
  {
    const std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_release);
  }
  stopped_.notify_all();
  if (wake) wake();
  if (thread_.joinable()) thread_.join();
}

bool Worker::sleep(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, duration, [this] { return stopping(); });
  return !stopping();
}

}  // namespace chat
