// One run: a system of its own, the workload on it, faults one after the other, and the judgement.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/chaos/workload/workload.h"

namespace chat::test {

struct RunOptions {
  std::chrono::seconds duration{60};
  std::vector<std::string> faults{};  // kinds; each at least once, in an order of chance
  WorkloadOptions workload{};
  std::chrono::milliseconds calm{2000};  // between two faults, at most
  std::chrono::milliseconds freeze{20'000};
  int storm = 5000;
  std::chrono::seconds patience{240};  // for everything to arrive in the end
  std::string canary{};  // the deliberate defect of the canary build; empty: the build that is to be trusted
  bool small_disks = false;
};

struct Verdict {
  std::map<std::string, int> injected{};                       // by kind
  std::map<std::string, std::vector<std::string>> findings{};  // by check; only those that found something
  std::vector<std::string> troubles{};                         // what kept the run from being one
  std::string summary{};                                       // a few lines

  bool clean() const { return findings.empty() && troubles.empty(); }
};

Verdict run_chaos(const RunOptions& options);

}  // namespace chat::test
