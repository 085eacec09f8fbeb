#include "bridge/shutdown.h"

#include <csignal>
#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace chat {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void hold_signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

const char* await_signal() {
  const sigset_t set = ending_signals();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

bool end_within(std::chrono::milliseconds patience, std::function<void()> end) {
  std::packaged_task<void()> task(std::move(end));
  auto done = task.get_future();
  std::thread(std::move(task)).detach();
  return done.wait_for(patience) == std::future_status::ready;
}

}  // namespace chat
