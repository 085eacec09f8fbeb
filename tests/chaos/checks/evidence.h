// What the checks judge: the operations log, put in order once, and what PostgreSQL holds in the end.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/chaos/operations.h"
#include "tests/chaos/workload/society.h"
#include "tests/support/stored.h"

namespace chat::test {

// Everything about one id that a client made.
struct Doing {
  std::string device{};
  std::string user{};
  std::string what{};  // "message", "recall", "edit …", "react … on", "read", an operation
  std::string conv{};
  std::int64_t seq = 0;  // that a command is about
  int qos = 1;
  std::int64_t from_us = 0;  // begun
  std::int64_t to_us = 0;    // acknowledged
  bool accepted = false;     // acknowledged, and the acknowledgement proves that it was taken
  bool refused = false;      // by a reason code or on the error topic, whatever came later
};

struct StoredEventRow {
  std::int64_t rev = 0;
  std::string kind{};
  std::int64_t seq = 0;
  std::string by{};
  std::string emoji{};
  bool on = false;
};

struct Evidence {
  Society society{};
  std::vector<Operation> log{};
  std::map<std::string, Doing> doings{};                                  // by id
  std::vector<std::string> order{};                                       // the ids, as they were begun
  std::map<std::string, std::vector<StoredRow>> stored{};                 // by conversation, in order of seq
  std::map<std::string, std::vector<StoredEventRow>> events{};            // likewise, in order of rev
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> ends{};    // last_seq and last_rev
  std::map<std::pair<std::string, std::string>, std::int64_t> cursors{};  // device, conversation: delivered
  std::set<std::string> clean{};                                          // devices that start clean sessions
  std::map<std::string, std::int64_t> last_began{};                       // each device's last session: us
  using Times = std::vector<std::pair<std::int64_t, std::int64_t>>;       // from, to: us
  Times broker_away{};
  Times broker_refuses{};
  Times clock_is_wrong{};  // the broker's

  // Whether somebody's view of a room is the model's to tell: of whoever comes and goes it is not.
  bool settled(const std::string& device, const std::string& conv) const;
  // The message that a command is about; null: none that a client of this run has sent.
  const Doing* subject_of(const Doing& doing) const;
  // A recall is for the latest two minutes; the owner's, for ever.
  bool may_be_too_late(const Doing& doing) const;
  // A publish of somebody who comes and goes may be refused when it is looked at in the end (it waited for the store,
  // or the bridge was behind), and so may a late recall. That is told to whoever is there: nobody, maybe.
  bool may_have_missed_the_answer(const Doing& doing) const;
  // Taken, and no reason to refuse it later: what is stamped by a wrong clock may be too late for a command.
  bool certain(const Doing& doing) const;
  static bool within(const Times& times, std::int64_t from_us, std::int64_t to_us);
};

// The user of "user-number".
std::string user_of(const std::string& device);

// The names of faults during which the broker may be silent, may refuse, or has a wrong clock.
struct FaultKinds {
  std::set<std::string> stop{};
  std::set<std::string> refuse{};
  std::set<std::string> clock{};
};
Evidence gather(Society society, std::vector<Operation> log, const FaultKinds& kinds);

// Fills `stored`, `events`, `ends` and `cursors`.
void read_database(Database& database, Evidence* evidence);

}  // namespace chat::test
