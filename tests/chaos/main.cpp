// ./dev chaos: a workload, faults, and the judgement; everything that was left to chance comes from a seed.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "tests/chaos/faults/fault.h"
#include "tests/chaos/faults/small_disks.h"
#include "tests/chaos/run.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

constexpr int kShownOfACheck = 15;

// Thousands of connections, in this program and in the broker that it starts.
void allow_many_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The kinds that are asked for. Of "all", those that this machine can't be given are left out, and named.
std::vector<std::string> kinds(const std::string& asked, const std::string& no_disks) {
  std::vector<std::string> names;
  std::vector<std::string> wanted = CLI::detail::split(asked, ',');
  const bool all = asked == "all";
  std::set<std::string> known;
  for (const auto& fault : all_faults()) {
    known.insert(fault->name());
    if (!all && std::find(wanted.begin(), wanted.end(), fault->name()) == wanted.end()) continue;
    const bool disk =
        fault->name() == "journal-full" || fault->name() == "journal-read-only" || fault->name() == "postgres-full";
    const auto missing = disk ? no_disks : fault->missing();
    if (!missing.empty() && !all) throw std::runtime_error(fault->name() + " can't be injected: " + missing);
    if (missing.empty()) {
      names.push_back(fault->name());
    } else {
      std::cout << "left out: " << fault->name() << ": " << missing << "\n";
    }
  }
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  for (const auto& name : wanted) {
    if (!all && name != "none" && !known.contains(name))
      throw std::runtime_error("there is no fault \"" + name + "\"; there are: " + list);
  }
  return names;
}

// A canary has to be found, by the check that is there for it.
int judge_canary(const Verdict& verdict, const std::string& canary, const std::string& expected) {
  const auto found = verdict.findings.find(expected);
  if (found == verdict.findings.end()) {
    std::cout << verdict.summary << "WRONG    the defect \"" << canary << "\" was not found by the check \"" << expected
              << "\"\n";
    return 1;
  }
  std::cout << "the defect \"" << canary << "\" was found: " << found->second.front() << "\n";
  return 0;
}

int judge(const Verdict& verdict, const std::vector<std::string>& asked) {
  std::cout << verdict.summary;
  bool bad = !verdict.clean();
  for (const auto& trouble : verdict.troubles) std::cout << "TROUBLE  " << trouble << "\n";
  for (const auto& [check, found] : verdict.findings) {
    std::cout << "WRONG    " << check << ": " << found.size() << "\n";
    for (std::size_t i = 0; i < found.size() && i < kShownOfACheck; ++i) std::cout << "         " << found[i] << "\n";
  }
  for (const auto& name : asked) {
    const auto times = verdict.injected.find(name);
    if (times != verdict.injected.end() && times->second > 0) continue;
    std::cout << "WRONG    " << name << " was asked for and not injected once\n";
    bad = true;
  }
  if (!bad) std::cout << "chaos: nothing lost, nothing doubled, nothing late (seed " << seed() << ")\n";
  return bad ? 1 : 0;
}

int command_line(int argc, char** argv) {
  CLI::App app("Breaks a running system in every way that is known, and counts what its promises were worth.");
  RunOptions options;
  std::string asked = "all";
  double minutes = 1;
  int calm_ms = 2000;
  int freeze_s = 20;
  int patience_s = 240;
  app.add_option("--minutes", minutes, "how long faults are injected, and longer where a kind has not had its turn")
      ->check(CLI::Range(0.05, 10000.0));
  app.add_option("--faults", asked, "kinds, with commas between; or all, or none");
  app.add_option("--clients", options.workload.clients)->check(CLI::Range(2, 1000));
  app.add_option("--rooms", options.workload.rooms)->check(CLI::Range(2, 1000));
  app.add_option("--largest-room", options.workload.largest_room, "members")->check(CLI::Range(3, 5000));
  app.add_option("--calm", calm_ms, "milliseconds between two faults, at most")->check(CLI::Range(0, 600'000));
  app.add_option("--freeze", freeze_s, "seconds that something stands still")->check(CLI::Range(1, 600));
  app.add_option("--storm", options.storm, "clients that reconnect at once")->check(CLI::Range(1, 20000));
  app.add_option("--patience", patience_s, "seconds in which everything has to arrive in the end")
      ->check(CLI::Range(1, 3600));
  app.add_option("--canary", options.canary, "run the build with this deliberate defect; the run must find it");
  std::string expected;
  app.add_option("--expect", expected, "with --canary: the check that has to find it; then the run is a success");
  CLI11_PARSE(app, argc, argv);
  options.duration = std::chrono::seconds(static_cast<int>(minutes * 60));
  options.calm = std::chrono::milliseconds(calm_ms);
  options.freeze = std::chrono::seconds(freeze_s);
  options.patience = std::chrono::seconds(patience_s);
  const auto no_disks = own_mounts();
  allow_many_files();
  options.faults = kinds(asked, no_disks);
  options.small_disks = no_disks.empty();
  seed();  // says which
  const auto verdict = run_chaos(options);
  return expected.empty() ? judge(verdict, options.faults) : judge_canary(verdict, options.canary, expected);
}

}  // namespace
}  // namespace chat::test

int main(int argc, char** argv) {
  try {
    return chat::test::command_line(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "chaos: " << error.what() << "\n";
    return 1;
  }
}
