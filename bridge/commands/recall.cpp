// Who may take a message back, and until when: its sender for a while, a group's owner and admins always. How much time
// has passed is measured between the plugin's two stamps, so a recall that waited (the bridge was away, PostgreSQL was)
// is no later for it.
#include "bridge/commands/decide.h"
#include "bridge/rpc/codes.h"

namespace chat {

CommandEffect decide_recall(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                            const CommandRules& rules) {
  const auto& message = scene.message;
  if (!message) return no_such_message(queued, fields.seq);
  const bool keeper = scene.role && *scene.role != Role::kMember;
  const bool own = message->sender == queued.command.user;
  if (!keeper && !own) {
    // What lies before one's joining is not even there.
    if (fields.seq < scene.join_seq) return no_such_message(queued, fields.seq);
    return RefuseCommand{code::kNotAllowed, "Message " + std::to_string(fields.seq) + " is not yours to recall."};
  }
  if (message->recalled) return RepeatRecall{};
  if (!keeper && queued.command.server_time - message->server_time > rules.recall_window) {
    return RefuseCommand{code::kTooLate, "Message " + std::to_string(fields.seq) + " could be recalled for " +
                                             std::to_string(rules.recall_window / 1000) + " seconds."};
  }
  return RecallMessage{.keep = rules.keep_recalled};
}

}  // namespace chat
