// What a device had acknowledged when all was over is what PostgreSQL says that it has.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> cursors(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<std::pair<std::string, std::string>, std::int64_t> held;
  for (const auto& line : evidence.log) {
    if (line.did != Did::kHeld || !evidence.settled(line.device, line.conv)) continue;
    if (Evidence::within(evidence.broker_refuses, line.at_us - 1, line.at_us)) continue;
    auto& seq = held[{line.device, line.conv}];
    seq = std::max(seq, line.seq);
  }
  for (const auto& [place, seq] : held) {
    const auto found = evidence.cursors.find(place);
    const auto stored = found == evidence.cursors.end() ? 0 : found->second;
    if (stored < seq) {
      wrong.push_back(place.first + " acknowledged " + std::to_string(seq) + " of " + place.second +
                      ", and PostgreSQL has " + std::to_string(stored));
    }
  }
  return wrong;
}

}  // namespace chat::test
