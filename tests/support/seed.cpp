#include "tests/support/seed.h"

#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>

namespace chat::test {

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("CHAT_SEED");
    const std::uint64_t chosen = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed " << chosen << " (CHAT_SEED=" << chosen << " repeats it)\n" << std::flush;
    return chosen;
  }();
  return value;
}

std::mt19937_64 generator(const std::string& purpose) {
  return std::mt19937_64(seed() ^ std::hash<std::string>{}(purpose));
}

std::string run_tag() {
  static const std::string tag = std::to_string(getpid());
  return tag;
}

}  // namespace chat::test
