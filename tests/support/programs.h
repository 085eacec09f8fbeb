// Where the programs lie that are tested: in this build's own folder, or in that of another build.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace chat::test {

// The folder above plugin/, bridge/ and chatctl/. `./dev sanitize` names another one: the tests themselves stay as fast
// as ever.
inline std::string program_folder() {
  const char* const other = std::getenv("CHAT_TEST_PROGRAMS");
  return other != nullptr ? other : CHAT_TEST_BINARY_DIR;
}

// What starts a stock broker of a test's own with these arguments; with what `./dev sanitize` puts in front of it.
inline std::vector<std::string> broker_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"env", "PATH=/usr/sbin:/usr/bin:/bin"};
  const char* const wrapper = std::getenv("CHAT_BROKER_WRAPPER");
  std::istringstream words(wrapper != nullptr ? wrapper : "");
  for (std::string word; words >> word;) command.push_back(word);
  command.push_back("mosquitto");
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace chat::test
