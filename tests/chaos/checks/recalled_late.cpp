// Guarantee 5: once anybody has been told of a recall, no session that begins later is given the text.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> recalled_late(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> known;  // conversation, seq: since when
  std::map<std::string, std::int64_t> began;                           // each device's session
  for (const auto& line : evidence.log) {
    if (line.did == Did::kSession) began[line.device] = line.at_us;
    if (line.did == Did::kEvent && line.text == "message.recalled")
      known.try_emplace({line.conv, line.seq}, line.at_us);
    if (line.did != Did::kMessage || line.text == "recalled" || !evidence.clean.contains(line.device)) continue;
    const auto recall = known.find({line.conv, line.seq});
    if (recall != known.end() && recall->second < began[line.device]) {
      wrong.push_back(line.device + " was given the text of " + line.conv + " " + std::to_string(line.seq) +
                      " in a session that began behind its recall");
    }
  }
  return wrong;
}

}  // namespace chat::test
