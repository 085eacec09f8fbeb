// What can be broken. One kind a class, one family a file; faults() lists them all.
#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/workload/society.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/stack.h"

namespace chat::test {

// What a fault may lay hands on.
struct World {
  Stack& stack;
  const Society& society;
  CuttingProxy& to_postgres;  // the broker and the bridge reach PostgreSQL through it
  CuttingProxy& to_broker;    // a third of the clients reach the broker through it
  std::mt19937_64& chance;
  std::chrono::milliseconds freeze;  // how long something stands still
  int storm = 0;                     // clients that reconnect at once
};

class Fault {
 public:
  virtual ~Fault() = default;
  virtual std::string name() const = 0;
  // Breaks something, and mends it again before it answers. Throws where it couldn't be broken, or didn't mend.
  virtual void inject(World& world) = 0;
  // The broker itself may be silent meanwhile: its pauses are not counted.
  virtual bool stops_broker() const { return false; }
  // The broker may refuse what it is sent meanwhile: an MQTT 3.1.1 acknowledgement, which looks the same then, proves
  // nothing.
  virtual bool refuses() const { return false; }
  virtual bool sets_clock() const { return false; }  // the broker's
  // What is missing for it on this machine, as a sentence; empty: nothing.
  virtual std::string missing() const { return {}; }
};

std::vector<std::unique_ptr<Fault>> all_faults();

// The families, each in a file of its own.
void add_kills(std::vector<std::unique_ptr<Fault>>* faults);
void add_freezes(std::vector<std::unique_ptr<Fault>>* faults);
void add_connections(std::vector<std::unique_ptr<Fault>>* faults);
void add_disks(std::vector<std::unique_ptr<Fault>>* faults);
void add_journals(std::vector<std::unique_ptr<Fault>>* faults);
void add_clocks(std::vector<std::unique_ptr<Fault>>* faults);
void add_clients(std::vector<std::unique_ptr<Fault>>* faults);
void add_services(std::vector<std::unique_ptr<Fault>>* faults);

// Waits, where nothing is waited for but the passing of time: that is what the fault consists of.
void let_pass(std::chrono::milliseconds time);

}  // namespace chat::test
