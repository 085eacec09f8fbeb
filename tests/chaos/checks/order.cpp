// Guarantees 1 and 4: each device gets the messages of a conversation one after the other, without a hole, also across
// its sessions; and all get the same bytes for the same seq, but for what became of a message.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> order(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<std::pair<std::string, std::string>, std::int64_t> highest;        // device, conversation
  std::map<std::pair<std::string, std::int64_t>, std::uint64_t> first_bytes;  // conversation, seq: as it was sent
  std::map<std::pair<std::string, std::int64_t>, std::uint64_t> tombstones;
  for (const auto& line : evidence.log) {
    if (line.did != Did::kMessage) continue;
    // An edit may be followed by another: its bytes are judged by their last state, in the history.
    if (line.text != "edited") {
      auto& known = (line.text.empty() ? first_bytes : tombstones)[{line.conv, line.seq}];
      if (known == 0) known = line.bytes;
      if (known != line.bytes) {
        wrong.push_back(line.conv + ": message " + std::to_string(line.seq) + " has other bytes at " + line.device +
                        " than elsewhere");
      }
    }
    if (!evidence.settled(line.device, line.conv)) continue;
    auto& last = highest[{line.device, line.conv}];
    if (line.seq > last + 1) {
      wrong.push_back(line.device + " got " + std::to_string(line.seq) + " of " + line.conv + " behind " +
                      std::to_string(last));
    }
    last = std::max(last, line.seq);
  }
  // In the end each has all.
  for (const auto& [place, last] : highest) {
    const auto end = evidence.ends.find(place.second);
    if (end != evidence.ends.end() && last < end->second.first) {
      wrong.push_back(place.first + " was never given " + std::to_string(last + 1) + " of " + place.second);
    }
  }
  return wrong;
}

}  // namespace chat::test
