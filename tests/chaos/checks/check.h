// What has to be true after a run, each in a file of its own. A check says what is wrong, as sentences; it changes
// nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/checks/evidence.h"

namespace chat::test {

struct Check {
  std::string name;
  std::function<std::vector<std::string>(const Evidence&)> judge;
};

const std::vector<Check>& all_checks();

std::vector<std::string> lost(const Evidence& evidence);     // acknowledged, and not stored once
std::vector<std::string> numbers(const Evidence& evidence);  // seq, rev: holes and repeats; server_time that falls
std::vector<std::string> order(const Evidence& evidence);    // what receivers got: in which order, and the same bytes
std::vector<std::string> duplicates(const Evidence& evidence);     // came again, though acknowledged
std::vector<std::string> commands(const Evidence& evidence);       // not applied, or more than once
std::vector<std::string> sent_early(const Evidence& evidence);     // `sent`, and PostgreSQL did not have it
std::vector<std::string> recalled_late(const Evidence& evidence);  // text of a message that was recalled before
std::vector<std::string> cursors(const Evidence& evidence);        // what PostgreSQL thinks that a device has
std::vector<std::string> pauses(const Evidence& evidence);         // the broker's thread waited

// Microseconds: the longest that the broker took to answer the pulse, but for faults that stop the broker itself.
std::int64_t longest_pause(const Evidence& evidence);

}  // namespace chat::test
