// Guarantees 2 and 3: acknowledged is stored, and once; nothing is stored that nobody published, or that was refused.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> lost(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<std::string, int> found;
  for (const auto& [conv, rows] : evidence.stored) {
    for (const auto& row : rows) {
      if (row.id.empty()) continue;
      ++found[row.id];
      const auto doing = evidence.doings.find(row.id);
      if (doing == evidence.doings.end()) {
        if (row.id.find('.') != std::string::npos) wrong.push_back("nobody published " + row.id + " of " + conv);
      } else if (doing->second.conv != conv || doing->second.user != row.sender) {
        wrong.push_back(row.id + " of " + doing->second.user + " in " + doing->second.conv + " is stored as one of " +
                        row.sender + " in " + conv);
      }
    }
  }
  for (const auto& [id, doing] : evidence.doings) {
    if (doing.what != "message") continue;
    const int times = found.contains(id) ? found[id] : 0;
    if (times > 1) wrong.push_back(id + " is stored " + std::to_string(times) + " times in " + doing.conv);
    if (times == 0 && doing.accepted && !doing.refused && !evidence.may_have_missed_the_answer(doing))
      wrong.push_back(id + " in " + doing.conv + " was acknowledged and is lost");
  }
  return wrong;
}

}  // namespace chat::test
