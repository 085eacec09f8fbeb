// What becomes of a command: pure steps from the command and what is in the store to an effect. One file a kind.
#pragma once

#include <string>

#include "storage/commands.h"

namespace chat {

struct CommandRules {
  TimeMs recall_window = 120'000;  // in which one's own message may be recalled
  bool keep_recalled = false;
  std::size_t message_bytes_max = 65'536;  // the plugin's max_message_bytes
  std::size_t user_reactions_max = 50;     // different ones, of one user on one message
  std::size_t reactions_max = 100;         // different ones on one message, of all users
};

inline constexpr std::size_t kEmojiBytesMax = 64;

// The client's own fields. What is not there, or is of another type, is 0 or empty: the plugin admits none such, and a
// step refuses it.
struct CommandFields {
  Seq seq = 0;
  std::string id;
  std::string body;   // a JSON value as it is written
  std::string emoji;  // may hold anything
  bool on = true;
};

// Never throws but for lack of memory, whatever the payload is.
CommandFields read_command(const std::string& payload);

CommandEffect decide_recall(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                            const CommandRules& rules);
CommandEffect decide_edit(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                          const CommandRules& rules);
CommandEffect decide_react(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                           const CommandRules& rules);

// By the command's operation; one that nobody knows is refused.
CommandEffect decide(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                     const CommandRules& rules);

// Refusals that several kinds give.
RefuseCommand not_a_member(const QueuedCommand& queued);
RefuseCommand no_such_message(const QueuedCommand& queued, Seq seq);

}  // namespace chat
