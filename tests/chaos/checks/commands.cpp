// Guarantee 9: what was acknowledged is applied, once, and only what was given. Each recall makes one event, each edit
// one; a reaction stands in the end as its user left it.
#include <tuple>

#include "tests/chaos/checks/check.h"

namespace chat::test {
namespace {

using Subject = std::pair<std::string, std::int64_t>;  // conversation, seq

struct Given {
  int certain = 0;
  int possible = 0;  // the others
};

void count(const Evidence& evidence, const Doing& doing, Given* given) {
  ++(evidence.certain(doing) ? given->certain : given->possible);
}

std::string place(const Subject& subject) {
  return subject.first + " " + std::to_string(subject.second);
}

}  // namespace

std::vector<std::string> commands(const Evidence& evidence) {
  std::vector<std::string> wrong;
  std::map<Subject, Given> recalls;
  std::map<Subject, Given> edits;
  std::map<std::tuple<std::string, std::int64_t, std::string, std::string>, std::pair<bool, bool>> reactions;
  for (const auto& id : evidence.order) {
    const auto& doing = evidence.doings.at(id);
    const Subject subject{doing.conv, doing.seq};
    if (doing.what == "recall") count(evidence, doing, &recalls[subject]);
    if (doing.what.starts_with("edit ")) count(evidence, doing, &edits[subject]);
    if (doing.what.starts_with("react ")) {
      const auto emoji = doing.what.substr(6, doing.what.rfind(' ') - 6);
      auto& last = reactions[{doing.conv, doing.seq, doing.user, emoji}];
      // What is in doubt leaves the end in doubt, until the next that is not.
      last = {doing.what.ends_with(" on"), evidence.certain(doing)};
    }
  }
  std::map<Subject, int> recalled;
  std::map<Subject, int> edited;
  std::map<std::tuple<std::string, std::int64_t, std::string, std::string>, bool> reacted;
  for (const auto& [conv, rows] : evidence.events) {
    for (const auto& row : rows) {
      if (row.kind == "message.recalled") ++recalled[{conv, row.seq}];
      if (row.kind == "message.edited") ++edited[{conv, row.seq}];
      if (row.kind == "message.reaction") reacted[{conv, row.seq, row.by, row.emoji}] = row.on;
    }
  }
  for (const auto& [subject, given] : recalls) {
    const int times = recalled[subject];
    if (times > 1) wrong.push_back(place(subject) + " was recalled " + std::to_string(times) + " times");
    if (times == 0 && given.certain > 0) wrong.push_back("the recall of " + place(subject) + " was never applied");
  }
  for (const auto& [subject, times] : recalled) {
    if (times > 0 && !recalls.contains(subject)) wrong.push_back("nobody recalled " + place(subject));
  }
  for (const auto& [subject, times] : edited) {
    const auto& given = edits[subject];
    if (times > given.certain + given.possible)
      wrong.push_back(place(subject) + " was edited " + std::to_string(times) + " times, by " +
                      std::to_string(given.certain + given.possible) + " edits");
  }
  for (const auto& [subject, given] : edits) {
    if (edited[subject] < given.certain && recalled[subject] == 0)
      wrong.push_back(place(subject) + " was edited " + std::to_string(edited[subject]) + " times, not " +
                      std::to_string(given.certain));
  }
  for (const auto& [key, last] : reactions) {
    const auto& [conv, seq, user, emoji] = key;
    if (!last.second || recalled[{conv, seq}] > 0) continue;
    const auto found = reacted.find(key);
    if ((found != reacted.end() && found->second) != last.first) {
      wrong.push_back("the reaction " + emoji + " of " + user + " to " + place({conv, seq}) + " should be " +
                      (last.first ? "there" : "gone"));
    }
  }
  return wrong;
}

}  // namespace chat::test
