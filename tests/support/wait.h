// Waiting for a condition, with a deadline that is there to end a broken test and says nothing about speed.
#pragma once

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace chat::test {

// Far beyond what a loaded machine with two cores needs: a test that reaches it is broken, not slow. `./dev sanitize`
// has more of it.
inline const std::chrono::seconds kPatience{
    std::getenv("CHAT_PATIENCE_S") != nullptr ? std::atoi(std::getenv("CHAT_PATIENCE_S")) : 30};

class TimedOut : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Calls `condition` until it is true. Throws TimedOut with `what` after `patience`. For conditions that nobody
// announces (a row in a table, a process's state); clients have waits of their own that are woken.
template <typename Condition>
void eventually(const std::string& what, Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) throw TimedOut("waited in vain for: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace chat::test
