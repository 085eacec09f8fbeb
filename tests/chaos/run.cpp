#include "tests/chaos/run.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tests/chaos/checks/check.h"
#include "tests/chaos/checks/standings.h"
#include "tests/chaos/faults/broker_clock.h"
#include "tests/chaos/faults/fault.h"
#include "tests/chaos/faults/small_disks.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kCalmMin{300};

std::vector<std::unique_ptr<Fault>> chosen(const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Fault>> faults;
  for (auto& fault : all_faults()) {
    if (std::find(names.begin(), names.end(), fault->name()) != names.end()) faults.push_back(std::move(fault));
  }
  if (faults.size() != names.size()) throw std::runtime_error("a fault was asked for that there is not");
  return faults;
}

// The system, and what stands in its way.
class System {
 public:
  explicit System(const RunOptions& options)
      : to_postgres_(postgres_.number(), postgres_proxy_.number()), stack_(stack_options(options)) {
    to_broker_ = std::make_unique<CuttingProxy>(stack_.port(), broker_proxy_.number());
  }
  ~System() {
    if (disks_) detach_small_disks(stack_.folder());
  }
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  Stack& stack() { return stack_; }
  CuttingProxy& to_postgres() { return to_postgres_; }
  CuttingProxy& to_broker() { return *to_broker_; }
  int broker_proxy() const { return broker_proxy_.number(); }

 private:
  StackOptions stack_options(const RunOptions& options) {
    StackOptions stack;
    stack.plugin = {{"journal_segment_mb", "4"}, {"journal_max_mb", "256"}};
    stack.users = options.workload.largest_room + 100;
    stack.environment = {{"CHAT_PG_PORT", std::to_string(postgres_.number())},
                         {"CHAT_PG_VIA", std::to_string(postgres_proxy_.number())}};
    const bool clocks =
        !faketime_library().empty() && std::any_of(options.faults.begin(), options.faults.end(),
                                                   [](const auto& name) { return name.starts_with("clock-"); });
    if (!options.canary.empty()) {
      stack.environment["CHAT_BIN_DIR"] = std::string(CHAT_TEST_BINARY_DIR) + "/tests/chaos/canary";
      stack.environment["CHAT_CANARY"] = options.canary;
    }
    disks_ = options.small_disks;
    stack.prepare = [this, clocks](const std::string& folder, Environment& environment) {
      if (disks_) mount_small_disks(folder);
      if (!clocks) return;
      set_broker_clock(folder + "/clock", "+0");
      environment["CHAT_BROKER_WRAPPER"] = clock_wrapper(folder + "/clock");
    };
    return stack;
  }

  const Port postgres_{};
  const Port postgres_proxy_{};
  const Port broker_proxy_{};
  bool disks_ = false;
  CuttingProxy to_postgres_;
  Stack stack_;
  std::unique_ptr<CuttingProxy> to_broker_;
};

void inject(Fault& fault, World& world, OperationsFile& log, Verdict* verdict) {
  log.add({.did = Did::kFault, .id = fault.name(), .text = "begins"});
  try {
    fault.inject(world);
    ++verdict->injected[fault.name()];
  } catch (const std::exception& error) {
    verdict->troubles.push_back(fault.name() + " could not be injected: " + error.what());
  }
  log.add({.did = Did::kFault, .id = fault.name(), .text = "over"});
}

// Each kind once, in an order of chance, and again until the time is over.
void break_things(const RunOptions& options, World& world, OperationsFile& log, Verdict* verdict) {
  auto faults = chosen(options.faults);
  const auto end = std::chrono::steady_clock::now() + options.duration;
  const auto over = [&] { return std::chrono::steady_clock::now() >= end || !verdict->troubles.empty(); };
  for (bool first = true; first || !over(); first = false) {
    std::shuffle(faults.begin(), faults.end(), world.chance);
    for (const auto& fault : faults) {
      if (!first && over()) return;
      const auto calm_min = std::min(kCalmMin, options.calm).count();
      let_pass(std::chrono::milliseconds(
          std::uniform_int_distribution<std::int64_t>(calm_min, options.calm.count())(world.chance)));
      std::cout << "    " << log.now().count() / 1'000'000 << " s  " << fault->name() << std::endl;
      inject(*fault, world, log, verdict);
      if (!verdict->troubles.empty()) return;
    }
    if (faults.empty()) let_pass(options.duration);
  }
}

std::set<std::string> names_of(bool (Fault::*which)() const) {
  std::set<std::string> names;
  for (const auto& fault : all_faults()) {
    if (((*fault).*which)()) names.insert(fault->name());
  }
  return names;
}

std::string summary_of(const Evidence& evidence, const Verdict& verdict) {
  std::map<std::string, std::size_t> done;
  for (const auto& [id, doing] : evidence.doings) ++done[doing.what.substr(0, doing.what.find(' '))];
  std::map<Did, std::size_t> lines;
  std::size_t witnessed = 0;
  for (const auto& line : evidence.log) {
    ++lines[line.did];
    if (line.did == Did::kSent && line.code >= 0) ++witnessed;
  }
  std::ostringstream text;
  text << "did:       ";
  for (const auto& [what, times] : done) text << times << " " << what << ", ";
  text << lines[Did::kSession] << " sessions\n";
  text << "received:  " << lines[Did::kMessage] << " messages, " << lines[Did::kEvent] << " events, "
       << lines[Did::kRefused] << " refusals; `sent` looked at " << witnessed << " of " << lines[Did::kSent]
       << " times\n";
  text << "injected:  ";
  for (const auto& [name, times] : verdict.injected) text << name << " " << times << "  ";
  text << "\nlongest pause of the broker: " << longest_pause(evidence) / 1000 << " ms\n";
  return text.str();
}

}  // namespace

Verdict run_chaos(const RunOptions& options) {
  Verdict verdict;
  System system(options);
  auto& stack = system.stack();
  const auto folder = fs::path(CHAT_TEST_BINARY_DIR) / "chaos";
  fs::create_directories(folder);
  OperationsFile log((folder / ("operations-" + std::to_string(getpid()) + ".tsv")).string());
  auto chance = generator("faults");
  Workload workload(stack, options.workload, system.broker_proxy(), log);
  World world{.stack = stack,
              .society = workload.society(),
              .to_postgres = system.to_postgres(),
              .to_broker = system.to_broker(),
              .chance = chance,
              .freeze = options.freeze,
              .storm = options.storm};
  workload.start();
  break_things(options, world, log, &verdict);
  try {
    workload.settle(options.patience);
  } catch (const std::exception& error) {
    verdict.findings["settling"].push_back(error.what());
  }
  log.flush();
  auto evidence = gather(workload.society(), read_operations(log.path()),
                         {.stop = names_of(&Fault::stops_broker),
                          .refuse = names_of(&Fault::refuses),
                          .clock = names_of(&Fault::sets_clock)});
  Database database(stack.pg());
  read_database(database, &evidence);
  for (const auto& check : all_checks()) {
    if (auto found = check.judge(evidence); !found.empty()) verdict.findings[check.name] = std::move(found);
  }
  if (auto found = standings_wrong(evidence, stack, workload.clients()); !found.empty())
    verdict.findings["standings"] = std::move(found);
  verdict.summary = summary_of(evidence, verdict);
  if (verdict.clean()) {
    fs::remove(log.path());
  } else {
    const auto broker_log = log.path() + ".broker.log";
    fs::copy_file(stack.value("CHAT_BROKER_LOG"), broker_log, fs::copy_options::overwrite_existing);
    verdict.summary += "operations: " + log.path() + "\nthe broker's log: " + broker_log + "\n";
  }
  return verdict;
}

}  // namespace chat::test
