// What our sources don't say, and what they say instead.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/tidy/tree.h"

namespace chat::test {

struct Ban {
  std::string name;                              // CamelCase: the test's name
  std::string pattern;                           // ECMAScript regular expression, looked for in each line
  std::function<bool(const SourceFile&)> where;  // the files that it holds for
  std::string instead;
  std::string offence;       // a line that it finds
  std::string innocent;      // one like it that it does not
  bool in_comments = false;  // also look behind //
};

// For GoogleTest's messages.
inline void PrintTo(const Ban& ban, std::ostream* out) {
  *out << ban.name;
}

const std::vector<Ban>& bans();

// "path:line: the line" for each offence.
std::vector<std::string> offences(const Ban& ban, const std::vector<SourceFile>& files);

}  // namespace chat::test
