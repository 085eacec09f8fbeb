// What the program is told on its command line or in its configuration file.
#pragma once

#include <optional>
#include <string>

#include "bridge/commands/decide.h"
#include "bridge/mqtt/broker_link.h"

namespace chat {

enum ExitCode : int {
  kEnded = 0,       // by SIGTERM or SIGINT, or --help or --version was answered
  kFailed = 1,      // an error that only a programmer can mend; its sentence is in the log
  kBadOptions = 2,  // an option or the configuration file is wrong: nothing was started
};

struct Options {
  std::string broker = "mqtt://127.0.0.1:1883";
  std::string user = "chat-bridge";
  std::string password_file;
  std::string postgres;  // a libpq URI or conninfo string; never empty once parsed
  std::string redis;     // parse_redis_uri() takes it; empty: works without
  std::string prefix = "chat";
  std::string client_id;  // never empty once parsed
  std::string log_level = "info";
  int recall_window = 120;  // seconds
  bool keep_recalled = false;
  std::size_t max_message_bytes = 65'536;  // the plugin's option of this name
  bool require_contact = false;            // likewise
  int max_members = 5000;                  // of a group
  int max_groups = 10'000;                 // of a user
  int max_user_reactions = 50;             // different ones of a user on a message
  int max_reactions = 100;                 // different ones on a message
  // Users of so many are kept in Redis: with fewer PostgreSQL is about as fast (docs/benchmarks.md).
  std::size_t standings_from = 500;  // conversations
};

// Fills `options`. Where the program should go on: nullopt; else its exit code, after help, version or the error was
// printed.
std::optional<ExitCode> parse_options(int argc, const char* const* argv, Options* options);

LinkOptions link_options(const Options& options);
CommandRules command_rules(const Options& options);

}  // namespace chat
