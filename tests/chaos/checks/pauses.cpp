// Guarantee 10: whatever is away or frozen beside it, the broker goes on answering. The bound is no figure of speed: a
// broker whose thread waits for a frozen PostgreSQL is silent for as long as that is frozen.
#include <algorithm>

#include "tests/chaos/checks/check.h"

namespace chat::test {
namespace {

constexpr std::int64_t kSilenceUs = 5'000'000;

}  // namespace

std::int64_t longest_pause(const Evidence& evidence) {
  std::int64_t longest = 0;
  for (const auto& line : evidence.log) {
    if (line.did == Did::kPause && !Evidence::within(evidence.broker_away, line.at_us - line.code, line.at_us))
      longest = std::max(longest, line.code);
  }
  return longest;
}

std::vector<std::string> pauses(const Evidence& evidence) {
  const auto longest = longest_pause(evidence);
  if (longest <= kSilenceUs) return {};
  return {"the broker was silent for " + std::to_string(longest / 1000) + " ms"};
}

}  // namespace chat::test
