// Guarantee 2: `sent` is only said behind the commit; who is told of it finds the message where it is said to be.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> sent_early(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<std::string, std::pair<std::string, std::int64_t>> places;
  for (const auto& [conv, rows] : evidence.stored) {
    for (const auto& row : rows) places[row.id] = {conv, row.seq};
  }
  for (const auto& line : evidence.log) {
    if (line.did != Did::kSent) continue;
    if (line.code == 0) wrong.push_back("`sent` was said of " + line.id + " before PostgreSQL had it");
    const auto found = places.find(line.id);
    if (found == places.end() || found->second != std::pair{line.conv, line.seq}) {
      wrong.push_back("`sent` was said of " + line.id + " as " + line.conv + " " + std::to_string(line.seq) +
                      (found == places.end()
                           ? ", and it is not stored"
                           : ", and it is " + found->second.first + " " + std::to_string(found->second.second)));
    }
  }
  return wrong;
}

}  // namespace chat::test
