// A bridge of the test's own on a stack, beside or in place of the stack's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bridge/background.h"
#include "tests/support/programs.h"
#include "tests/support/stack.h"

namespace chat::test {

// Starts it as the stack starts its own, with `more` options behind; `broker` empty: the stack's. Its log is
// {folder}/{name}.log of the stack.
inline std::unique_ptr<Background> start_bridge(const Stack& stack, const std::string& name,
                                                const std::vector<std::string>& more = {},
                                                const std::string& broker = {}) {
  const auto uri = broker.empty() ? "mqtt://127.0.0.1:" + std::to_string(stack.port()) : broker;
  std::vector<std::string> command{program_folder() + "/bridge/mosquitto-chat-bridge",
                                   "--broker",
                                   uri,
                                   "--password-file",
                                   stack.folder() + "/secret/bridge-password",
                                   "--postgres-file",
                                   stack.folder() + "/secret/bridge-postgres-uri",
                                   "--log-level",
                                   "debug"};
  command.insert(command.end(), more.begin(), more.end());
  return std::make_unique<Background>(command, stack.folder() + "/" + name + ".log");
}

}  // namespace chat::test
