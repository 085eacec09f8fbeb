// A program that runs beside the test, with what it says in a file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace chat::test {

class Background {
 public:
  // Starts it; standard output and error are appended to `log_path`. Throws where it can't be started.
  Background(const std::vector<std::string>& command, std::string log_path);
  // Kills it where it still runs.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void signal(int number) const;
  // Waits for its end; the exit code, or 128 + the signal that ended it. Throws TimedOut with the log.
  int wait();
  bool running();

  std::string log() const;
  std::size_t times_in_log(const std::string& text) const;
  // Waits until the log holds `text` `times` times. Throws TimedOut with the log.
  void await_log(const std::string& text, std::size_t times = 1) const;

 private:
  std::string log_path_;
  pid_t pid_ = 0;
  std::optional<int> code_;
};

}  // namespace chat::test
