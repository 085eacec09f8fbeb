#include "bridge/commands/decide.h"

#include "bridge/rpc/codes.h"
#include "bridge/rpc/quote.h"
#include "storage/json_members.h"

namespace chat {

CommandFields read_command(const std::string& payload) {
  CommandFields fields;
  fields.seq = json_number(payload, "seq").value_or(0);
  fields.id = json_text(payload, "id").value_or("");
  fields.body = json_member(payload, "body").value_or("");
  fields.emoji = json_text(payload, "emoji").value_or("");
  fields.on = json_member(payload, "on") != "false";
  return fields;
}

RefuseCommand not_a_member(const QueuedCommand& queued) {
  return {code::kNotMember,
          "User " + in_quotes(queued.command.user) + " is not a member of " + in_quotes(queued.conv) + "."};
}

RefuseCommand no_such_message(const QueuedCommand& queued, Seq seq) {
  return {code::kNotFound, "Conversation " + in_quotes(queued.conv) + " has no message " + std::to_string(seq) + "."};
}

CommandEffect decide(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                     const CommandRules& rules) {
  if (!scene.role) return not_a_member(queued);
  const auto& operation = queued.command.operation;
  if (operation == "recall") return decide_recall(queued, fields, scene, rules);
  if (operation == "edit") return decide_edit(queued, fields, scene, rules);
  if (operation == "react") return decide_react(queued, fields, scene, rules);
  return RefuseCommand{code::kUnknownOperation, "There is no command " + in_quotes(operation) + "."};
}

}  // namespace chat
