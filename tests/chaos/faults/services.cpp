// What an operator does, or does by mistake.
#include <csignal>

#include "tests/chaos/faults/fault.h"
#include "tests/support/bridge_program.h"
#include "tests/support/process.h"

namespace chat::test {
namespace {

class Reload : public Fault {
 public:
  std::string name() const override { return "sighup"; }
  void inject(World& world) override { world.stack.reload_broker(); }
};

class FlushAll : public Fault {
 public:
  std::string name() const override { return "flushall"; }
  void inject(World& world) override { run_or_throw({"redis-cli", "-u", world.stack.value("CHAT_REDIS"), "FLUSHALL"}); }
};

// A second one beside the first; the first is killed, so that the second takes over; then the second is, and so on.
class TwoBridges : public Fault {
 public:
  std::string name() const override { return "two-bridges"; }

  void inject(World& world) override {
    const auto name = "second-bridge-" + std::to_string(++times_);
    const auto second = start_bridge(world.stack, name, {"--redis", world.stack.value("CHAT_REDIS")});
    second->await_log("standing by");
    world.stack.kill("bridge");
    second->await_log("listening on");
    second->signal(SIGKILL);
    second->wait();
    world.stack.start("bridge");
  }

 private:
  int times_ = 0;
};

}  // namespace

void add_services(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<Reload>());
  faults->push_back(std::make_unique<FlushAll>());
  faults->push_back(std::make_unique<TwoBridges>());
}

}  // namespace chat::test
