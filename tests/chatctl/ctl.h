// Runs chatctl as a person does, against a database of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/storage/private_postgres.h"
#include "tests/support/process.h"

namespace chat::test {

class Ctl : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  Finished run(Words words) const;                // as it is
  std::string out(Words words) const;             // what it prints; a failed test and "" where it does not end with 0
  nlohmann::json json(Words words) const;         // out() with --json
  std::string group(const Words& members) const;  // adds the users, and a group that the first owns

  // Whether `words` ends with `code`, and with `sentence` on stderr and nothing on stdout.
  testing::AssertionResult fails(const Words& words, int code, const std::string& sentence) const;

  std::string uri_ = PrivatePostgres::shared().migrated_database();
};

}  // namespace chat::test
