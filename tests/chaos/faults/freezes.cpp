// SIGSTOP of each service, and SIGCONT later: it has its connections, and answers nothing.
#include "tests/chaos/faults/fault.h"

namespace chat::test {
namespace {

class Freeze : public Fault {
 public:
  explicit Freeze(std::string service) : service_(std::move(service)) {}
  std::string name() const override { return "freeze-" + service_; }
  bool stops_broker() const override { return service_ == "broker"; }

  void inject(World& world) override {
    world.stack.kill(service_, "STOP");
    let_pass(world.freeze);
    world.stack.kill(service_, "CONT");
  }

 private:
  const std::string service_;
};

}  // namespace

void add_freezes(std::vector<std::unique_ptr<Fault>>* faults) {
  for (const char* service : {"broker", "bridge", "postgres", "redis"})
    faults->push_back(std::make_unique<Freeze>(service));
}

}  // namespace chat::test
