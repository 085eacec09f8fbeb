#include "tests/chaos/checks/check.h"

namespace chat::test {

const std::vector<Check>& all_checks() {
  static const std::vector<Check> all = {
      {"lost", lost},
      {"numbers", numbers},
      {"order", order},
      {"duplicates", duplicates},
      {"commands", commands},
      {"sent-early", sent_early},
      {"recalled-late", recalled_late},
      {"cursors", cursors},
      {"pauses", pauses},
  };
  return all;
}

}  // namespace chat::test
