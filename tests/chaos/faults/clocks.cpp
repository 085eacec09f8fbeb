// The broker's wall clock is set back or forward, and right again.
#include "tests/chaos/faults/broker_clock.h"
#include "tests/chaos/faults/fault.h"

namespace chat::test {
namespace {

constexpr std::chrono::seconds kWrongFor{3};

class WrongClock : public Fault {
 public:
  WrongClock(std::string name, std::string offset) : name_(std::move(name)), offset_(std::move(offset)) {}
  std::string name() const override { return name_; }
  bool sets_clock() const override { return true; }
  std::string missing() const override {
    return faketime_library().empty() ? "libfaketime is not installed (./dev deps)" : "";
  }

  void inject(World& world) override {
    const auto file = world.stack.folder() + "/clock";
    set_broker_clock(file, offset_);
    let_pass(kWrongFor);
    set_broker_clock(file, "+0");
  }

 private:
  const std::string name_;
  const std::string offset_;
};

}  // namespace

void add_clocks(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<WrongClock>("clock-back", "-3600"));
  faults->push_back(std::make_unique<WrongClock>("clock-forward", "+86400"));
}

}  // namespace chat::test
