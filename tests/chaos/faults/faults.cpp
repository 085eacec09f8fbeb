#include <condition_variable>
#include <mutex>

#include "tests/chaos/faults/fault.h"

namespace chat::test {

std::vector<std::unique_ptr<Fault>> all_faults() {
  std::vector<std::unique_ptr<Fault>> faults;
  add_kills(&faults);
  add_freezes(&faults);
  add_connections(&faults);
  add_disks(&faults);
  add_journals(&faults);
  add_clocks(&faults);
  add_clients(&faults);
  add_services(&faults);
  return faults;
}

void let_pass(std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable nobody;
  std::unique_lock lock(mutex);
  nobody.wait_for(lock, time, [] { return false; });
}

}  // namespace chat::test
