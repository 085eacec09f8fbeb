// Runs a program to its end and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace chat::test {

struct Finished {
  int code = 0;  // the exit code, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

using Environment = std::map<std::string, std::string>;

// Runs `command` (found by PATH) with the test's own environment plus `environment`, reading `input`. Waits for the
// program itself only: daemons that it leaves behind keep running. Throws std::runtime_error where it can't be started.
Finished run(const std::vector<std::string>& command, const Environment& environment = {},
             const std::string& input = {});

// run(), and std::runtime_error with command and output where the exit code is not 0.
Finished run_or_throw(const std::vector<std::string>& command, const Environment& environment = {},
                      const std::string& input = {});

}  // namespace chat::test
