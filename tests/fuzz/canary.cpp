// A target with a fault on purpose: it reads one byte beyond what begins with "seq". The smoke run demands that the
// fault is found, so that "no findings" of the others says something.
#include <algorithm>
#include <memory>

#include "tests/fuzz/target.h"

namespace chat::fuzz {

void canary(std::string_view bytes) {
  if (!bytes.starts_with("seq")) return;
  const auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  volatile char sum = 0;
  for (std::size_t i = 0; i <= bytes.size(); ++i) sum = static_cast<char>(sum + copy[i]);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(canary);
