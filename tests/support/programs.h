// Where the programs lie that are tested: in this build's own folder, or in that of another build.
#pragma once

#include <cstdlib>
#include <string>

namespace chat::test {

// The folder above plugin/, bridge/ and chatctl/. `./dev sanitize` names another one: the tests themselves stay as fast
// as ever.
inline std::string program_folder() {
  const char* const other = std::getenv("CHAT_TEST_PROGRAMS");
  return other != nullptr ? other : CHAT_TEST_BINARY_DIR;
}

}  // namespace chat::test
