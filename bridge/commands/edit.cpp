// Only its sender changes a message, as long as it is not recalled.
#include "bridge/commands/decide.h"
#include "bridge/rpc/codes.h"
#include "storage/forwarded.h"
#include "storage/json_members.h"
#include "storage/message_event.h"

namespace chat {
namespace {

constexpr std::size_t kEditedBytes = sizeof(",\"edited\":1700000000000") - 1;  // ours: no part of the sender's limit

}  // namespace

CommandEffect decide_edit(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                          const CommandRules& rules) {
  const auto& message = scene.message;
  const bool own = message && message->sender == queued.command.user;
  if (!message || message->recalled || (!own && fields.seq < scene.join_seq)) {
    return no_such_message(queued, fields.seq);
  }
  if (!own)
    return RefuseCommand{code::kNotAllowed, "Message " + std::to_string(fields.seq) + " is not yours to change."};
  // It would put words into somebody else's mouth.
  if (is_forwarded(message->payload)) {
    return RefuseCommand{code::kNotAllowed,
                         "Message " + std::to_string(fields.seq) + " was forwarded, and can't be changed."};
  }
  // The same again, after an acknowledgement that got lost: nobody is told twice.
  if (json_member(message->payload, "edited") && json_member(message->payload, "body") == fields.body)
    return LeaveUnchanged{};
  auto payload = edited_object(message->payload, fields.body, scene.now);
  if (fields.body.empty() || !payload) return RefuseCommand{code::kBadField, "There is no \"body\" to change."};
  if (payload->size() > rules.message_bytes_max + kEditedBytes) {
    return RefuseCommand{code::kTooLarge, "The message would have " + std::to_string(payload->size()) +
                                              " bytes; at most " + std::to_string(rules.message_bytes_max) +
                                              " are taken."};
  }
  return EditMessage{.body = fields.body, .payload = *std::move(payload)};
}

}  // namespace chat
