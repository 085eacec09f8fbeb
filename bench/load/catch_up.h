// A device that was away: how fast it gets what it missed while it acknowledges.
#pragma once

#include <cstdint>
#include <string>

namespace chat::load {

struct CatchUpOptions {
  int port = 0;
  std::string password;
  std::string user;
  std::string device;
  std::string filter;
  std::string ack_topic;
  std::uint64_t messages = 0;  // that are waiting
};

// Measures from the SUBSCRIBE to the last message. Prints KEY=VALUE lines; throws std::runtime_error where messages
// stay away.
void run_catch_up(const CatchUpOptions& options);

}  // namespace chat::load
