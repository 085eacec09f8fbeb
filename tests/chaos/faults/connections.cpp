// Connections that are lost or slow, and the worst moment of all: while PostgreSQL commits.
#include "tests/chaos/faults/fault.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr std::chrono::milliseconds kDelay{150};
constexpr std::chrono::seconds kSlowFor{3};

// The next COMMIT is not handed on, or its answer is not: nobody can know which. Then PostgreSQL is restarted.
class RestartInCommit : public Fault {
 public:
  std::string name() const override { return "postgres-in-commit"; }

  void inject(World& world) override {
    using Action = CuttingProxy::Action;
    constexpr Action kActions[] = {Action::kCutBefore, Action::kCutAfter, Action::kFreeze};
    auto& proxy = world.to_postgres;
    const auto action = kActions[std::uniform_int_distribution<int>(0, 2)(world.chance)];
    const int before = proxy.fired();
    proxy.arm(CuttingProxy::commit_message(), action);
    try {
      eventually("a COMMIT", [&] { return proxy.fired() > before; });
    } catch (...) {
      proxy.disarm();
      throw;
    }
    world.stack.kill("postgres");
    proxy.thaw();
    proxy.cut_all();
    world.stack.start("postgres");
  }
};

class Cut : public Fault {
 public:
  Cut(std::string whose, CuttingProxy& (*proxy)(World&)) : whose_(std::move(whose)), proxy_(proxy) {}
  std::string name() const override { return "cut-" + whose_; }

  void inject(World& world) override {
    auto& proxy = proxy_(world);
    eventually("a connection to cut", [&] { return proxy.connections() > 0; });
    proxy.cut_all();
  }

 private:
  const std::string whose_;
  CuttingProxy& (*const proxy_)(World&);
};

class Delay : public Fault {
 public:
  Delay(std::string whose, CuttingProxy& (*proxy)(World&)) : whose_(std::move(whose)), proxy_(proxy) {}
  std::string name() const override { return "delay-" + whose_; }

  void inject(World& world) override {
    auto& proxy = proxy_(world);
    proxy.delay(kDelay);
    let_pass(kSlowFor);
    proxy.delay({});
  }

 private:
  const std::string whose_;
  CuttingProxy& (*const proxy_)(World&);
};

CuttingProxy& to_postgres(World& world) {
  return world.to_postgres;
}
CuttingProxy& to_broker(World& world) {
  return world.to_broker;
}

}  // namespace

void add_connections(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<RestartInCommit>());
  faults->push_back(std::make_unique<Cut>("postgres", to_postgres));
  faults->push_back(std::make_unique<Cut>("clients", to_broker));
  faults->push_back(std::make_unique<Delay>("postgres", to_postgres));
  faults->push_back(std::make_unique<Delay>("clients", to_broker));
}

}  // namespace chat::test
