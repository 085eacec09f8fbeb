#include "tests/chaos/faults/broker_clock.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace chat::test {

std::string faketime_library() {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib", none)) {
    auto path = entry.path() / "faketime" / "libfaketime.so.1";
    if (std::filesystem::exists(path, none)) return path;
  }
  return {};
}

// The monotonic clocks, by which the broker waits, stay as they are.
std::string clock_wrapper(const std::string& file) {
  return "env LD_PRELOAD=" + faketime_library() + " FAKETIME_TIMESTAMP_FILE=" + file +
         " FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1";
}

void set_broker_clock(const std::string& file, const std::string& offset) {
  // In one step: it is read all the time.
  std::ofstream(file + ".new") << offset << "\n";
  std::filesystem::rename(file + ".new", file);
}

}  // namespace chat::test
