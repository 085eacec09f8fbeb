// Disks that are full or read-only.
#include "tests/chaos/faults/fault.h"
#include "tests/chaos/faults/small_disks.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr std::chrono::seconds kFullFor{3};

class JournalFull : public Fault {
 public:
  std::string name() const override { return "journal-full"; }
  bool refuses() const override { return true; }

  void inject(World& world) override {
    const auto disk = world.stack.folder() + "/journal";
    make_full(disk);
    let_pass(kFullFor);
    make_room(disk);
  }
};

// A broker that can't write its journal must not start, and must not spoil what is in it.
class JournalReadOnly : public Fault {
 public:
  std::string name() const override { return "journal-read-only"; }
  bool stops_broker() const override { return true; }

  void inject(World& world) override {
    const auto disk = world.stack.folder() + "/journal";
    world.stack.kill("broker");
    make_read_only(disk);
    bool started = true;
    try {
      world.stack.start("broker");
    } catch (const std::exception&) {
      started = false;
    }
    if (started) world.stack.kill("broker");
    make_writable(disk);
    world.stack.start("broker");
    if (started) throw std::runtime_error("a broker started that can't write its journal");
  }
};

// It may end over it, and is started again where it did.
class PostgresFull : public Fault {
 public:
  std::string name() const override { return "postgres-full"; }

  void inject(World& world) override {
    const auto disk = world.stack.folder() + "/postgres";
    make_full(disk);
    let_pass(kFullFor);
    make_room(disk);
    eventually("PostgreSQL to be up again", [&] {
      try {
        world.stack.start("postgres");
        return true;
      } catch (const std::exception&) {
        return false;
      }
    });
  }
};

}  // namespace

void add_disks(std::vector<std::unique_ptr<Fault>>* faults) {
  faults->push_back(std::make_unique<JournalFull>());
  faults->push_back(std::make_unique<JournalReadOnly>());
  faults->push_back(std::make_unique<PostgresFull>());
}

}  // namespace chat::test
