// Guarantee 4: only what was not acknowledged can come again. Within one clean session nothing comes twice, once its
// tap is open (what was meant for the session before may come in front of that); in a new one nothing comes that the
// broker had acknowledged the acknowledgement of. A session that was resumed may bring again what the broker had under
// way for it, acknowledged or not: that is MQTT's own.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> duplicates(const Evidence& evidence) {
  using Place = std::pair<std::string, std::string>;  // device, conversation
  std::vector<std::string> wrong;
  std::map<Place, std::int64_t> held;                                               // acknowledged for certain
  std::map<Place, std::int64_t> held_at_start;                                      // ... when the session began
  std::map<std::string, std::map<std::string, std::set<std::int64_t>>> in_session;  // device, conversation
  for (const auto& line : evidence.log) {
    const Place place{line.device, line.conv};
    switch (line.did) {
      case Did::kOpened:
        in_session[line.device].clear();
        break;
      case Did::kSession:
        in_session[line.device].clear();
        for (const auto& [where, seq] : held) {
          if (where.first == line.device) held_at_start[where] = seq;
        }
        break;
      case Did::kHeld:
        if (!Evidence::within(evidence.broker_refuses, line.at_us - 1, line.at_us))
          held[place] = std::max(held[place], line.seq);
        break;
      case Did::kMessage:
        if (!evidence.clean.contains(line.device) || !evidence.settled(line.device, line.conv)) break;
        if (!in_session[line.device][line.conv].insert(line.seq).second) {
          wrong.push_back(line.device + " got " + std::to_string(line.seq) + " of " + line.conv +
                          " twice in one session");
        }
        if (line.seq <= held_at_start[place]) {
          wrong.push_back(line.device + " got " + std::to_string(line.seq) + " of " + line.conv +
                          " again, though it had acknowledged " + std::to_string(held_at_start[place]) +
                          " before it connected");
        }
        break;
      default:
        break;
    }
  }
  return wrong;
}

}  // namespace chat::test
