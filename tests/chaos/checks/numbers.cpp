// Guarantee 1: seq 1, 2, 3 … in each conversation, rev likewise; server_time never falls.
#include "tests/chaos/checks/check.h"

namespace chat::test {

std::vector<std::string> numbers(const Evidence& evidence) {
  std::vector<std::string> wrong;
  for (const auto& [conv, rows] : evidence.stored) {
    std::int64_t seq = 0;
    std::int64_t time = 0;
    for (const auto& row : rows) {
      if (row.seq != seq + 1) {
        wrong.push_back(conv + ": " + std::to_string(seq) + " is followed by " + std::to_string(row.seq));
      }
      if (row.server_time < time) {
        wrong.push_back(conv + ": server_time falls from " + std::to_string(time) + " to " +
                        std::to_string(row.server_time) + " at " + std::to_string(row.seq));
      }
      seq = row.seq;
      time = row.server_time;
    }
    const auto end = evidence.ends.find(conv);
    if (end != evidence.ends.end() && end->second.first != seq) {
      wrong.push_back(conv + ": last_seq is " + std::to_string(end->second.first) + ", the last message " +
                      std::to_string(seq));
    }
  }
  for (const auto& [conv, rows] : evidence.events) {
    std::int64_t rev = 0;
    for (const auto& row : rows) {
      if (row.rev != rev + 1)
        wrong.push_back(conv + ": rev " + std::to_string(rev) + " is followed by " + std::to_string(row.rev));
      rev = row.rev;
    }
  }
  return wrong;
}

}  // namespace chat::test
