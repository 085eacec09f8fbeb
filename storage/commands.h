// What the bridge asks of the store to apply commands: recalls, edits and reactions, in the order in which they were
// committed, each once.
//
// Invariants
//  (1) apply() is one transaction: what the command changed, its event, what it has to say, and the end of its row. So
//  a
//      command is applied once, whoever is killed when, also where two bridges should be at work.
//  (2) Events of a conversation have rev 1, 2, 3 … without a hole, and server_time never falls.
//  (3) What is in `outgoing` stays there until forget() names it.
// Threads: one object belongs to one thread at a time; interrupt() any. Calls may throw StoreUnavailable, apply() also
// StoreInDoubt; the next call connects anew.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

// A command as it waits.
struct QueuedCommand {
  std::int64_t id = 0;
  std::string conv;
  StoredCommand command;
};

// The message that a command is about.
struct CommandTarget {
  TimeMs server_time = 0;
  std::string sender;
  std::string payload;
  bool recalled = false;
};

// What a command is decided from, as it is in the transaction that applies it.
struct CommandScene {
  TimeMs now = 0;            // what the event's server_time will be
  std::optional<Role> role;  // of the user who gave the command; nullopt: no member (any more)
  Seq join_seq = 1;
  std::optional<CommandTarget> message;  // nullopt: there is none with that seq
  std::vector<std::string> emojis;       // with a reaction: the user's own on this message
  std::size_t other_emojis = 0;          // ... where it is the first with its emoji: how many others there are, of all
};

// What becomes of a command.
struct RefuseCommand {
  std::string code;  // one of topics.md's
  std::string reason;
};
struct LeaveUnchanged {};  // it asks for what is the case already
struct RecallMessage {
  bool keep = false;  // the text goes to recalled_messages
};
struct RepeatRecall {};  // the event of the recall once more, to the user who asks
struct EditMessage {
  std::string body;     // a JSON value as it is written
  std::string payload;  // what the message becomes
};
struct SetReaction {
  std::string emoji;
  bool on = true;
};
using CommandEffect =
    std::variant<RefuseCommand, LeaveUnchanged, RecallMessage, RepeatRecall, EditMessage, SetReaction>;

// Pure: it may be called again for the same command.
using DecideCommand = std::function<CommandEffect(const CommandScene&)>;

// A publish to one user that waits.
struct OutgoingRow {
  std::int64_t id = 0;
  std::string user;
  std::string leaf;  // of the topic chat/u/{user}/{leaf}
  std::string payload;
};

class CommandStore {
 public:
  virtual ~CommandStore() = default;

  // The oldest `limit` commands that wait, oldest first.
  virtual std::vector<QueuedCommand> waiting(int limit) = 0;

  // Looks at message `seq`, asks `decide`, carries out the answer. `error` makes the payload for the user's error topic
  // of a refusal. False: the command had been applied already.
  virtual bool apply(const QueuedCommand& command, Seq seq, const DecideCommand& decide,
                     const std::function<std::string(const RefuseCommand&)>& error) = 0;

  // Those with an id above `above`, in order of id.
  virtual std::vector<OutgoingRow> outgoing(std::int64_t above, int limit) = 0;
  virtual void forget(std::span<const std::int64_t> outgoing) = 0;

  // Waits up to `timeout` for word of new commands. May return early for nothing.
  virtual void wait(std::chrono::milliseconds timeout) = 0;

  // Any thread: makes a call that is blocked, and all later ones, fail soon with StoreUnavailable.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<CommandStore> open_postgres_commands(const std::string& uri, std::string_view application_name);

}  // namespace chat
