// A member's reaction to a message: there or not there, so that saying it twice is saying it once.
#include <algorithm>

#include "bridge/commands/decide.h"
#include "bridge/rpc/codes.h"
#include "bridge/rpc/quote.h"

namespace chat {

CommandEffect decide_react(const QueuedCommand& queued, const CommandFields& fields, const CommandScene& scene,
                           const CommandRules& rules) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  const auto& emoji = fields.emoji;
  if (emoji.empty() || emoji.size() > kEmojiBytesMax || std::any_of(emoji.begin(), emoji.end(), control)) {
    return RefuseCommand{code::kBadField, "\"emoji\" must be a string of 1 to " + std::to_string(kEmojiBytesMax) +
                                              " bytes without control characters, not " + in_quotes(emoji) + "."};
  }
  if (!scene.message || scene.message->recalled || fields.seq < scene.join_seq)
    return no_such_message(queued, fields.seq);
  const bool there = std::find(scene.emojis.begin(), scene.emojis.end(), emoji) != scene.emojis.end();
  if (there == fields.on) return LeaveUnchanged{};
  if (fields.on && scene.emojis.size() >= rules.user_reactions_max) {
    return RefuseCommand{code::kNotAllowed, "Message " + std::to_string(fields.seq) + " has " +
                                                std::to_string(scene.emojis.size()) +
                                                " different reactions of yours: it takes no more of one user."};
  }
  if (fields.on && scene.other_emojis >= rules.reactions_max) {
    return RefuseCommand{code::kNotAllowed,
                         "Message " + std::to_string(fields.seq) + " has " + std::to_string(scene.other_emojis) +
                             " different reactions: it takes no other than these, and not " + in_quotes(emoji) + "."};
  }
  return SetReaction{.emoji = emoji, .on = fields.on};
}

}  // namespace chat
