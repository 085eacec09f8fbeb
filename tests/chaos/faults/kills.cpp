// kill -9 of each service, and its start a moment later.
#include "tests/chaos/faults/fault.h"

namespace chat::test {
namespace {

constexpr int kAwayMaxMs = 1500;

class Kill : public Fault {
 public:
  explicit Kill(std::string service) : service_(std::move(service)) {}
  std::string name() const override { return "kill-" + service_; }
  bool stops_broker() const override { return service_ == "broker"; }

  void inject(World& world) override {
    world.stack.kill(service_);
    let_pass(std::chrono::milliseconds(std::uniform_int_distribution<int>(0, kAwayMaxMs)(world.chance)));
    world.stack.start(service_);
  }

 private:
  const std::string service_;
};

}  // namespace

void add_kills(std::vector<std::unique_ptr<Fault>>* faults) {
  for (const char* service : {"broker", "bridge", "postgres", "redis"})
    faults->push_back(std::make_unique<Kill>(service));
}

}  // namespace chat::test
