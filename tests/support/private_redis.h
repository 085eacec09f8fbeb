// A Redis server of the test's own, on a port and a Unix socket of its own, that writes nothing to disk but its log.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/ports.h"

namespace chat::test {

// Threads: the main one (the server ends with the thread that started it).
class PrivateRedis {
 public:
  // Starts it. `password` empty: none is asked for.
  explicit PrivateRedis(std::string password = {});
  // Kills it where it still runs, and removes its folder.
  ~PrivateRedis();
  PrivateRedis(const PrivateRedis&) = delete;
  PrivateRedis& operator=(const PrivateRedis&) = delete;

  std::string uri() const { return "redis://127.0.0.1:" + std::to_string(port_.number()); }
  std::string socket_path() const { return folder_ + "/socket"; }

  void start();             // again, behind kill(); answers once it takes connections
  void kill();              // SIGKILL
  void signal(int number);  // SIGSTOP returns once it stands still

  // redis-cli with these words; what it printed, without the last line's end.
  std::string cli(const std::string& command, const std::string& argument = {}, const std::string& value = {}) const;

 private:
  const std::string password_;
  Port port_;
  std::string folder_;
  pid_t server_ = 0;
};

}  // namespace chat::test
