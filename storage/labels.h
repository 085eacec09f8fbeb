// The words that people and JSON see for the enumerations of types.h.
#pragma once

#include <optional>
#include <string_view>

#include "storage/contact.h"
#include "storage/types.h"

namespace chat {

std::string_view label(Role role);              // member, admin, owner
std::string_view label(ConversationKind kind);  // direct, group
std::string_view label(MessageType type);       // text, image, voice, video, file, emoji, location, custom
std::string_view label(Replay replay);          // full, newest
std::string_view label(AckMode ack);            // client, auto
std::string_view label(ContactState state);     // pending_out, pending_in, accepted, blocked

// nullopt: not one of the words above, which are matched exactly.
std::optional<Role> role_from(std::string_view word);
std::optional<MessageType> message_type_from(std::string_view word);
std::optional<Replay> replay_from(std::string_view word);
std::optional<AckMode> ack_mode_from(std::string_view word);
std::optional<ContactState> contact_state_from(std::string_view word);

}  // namespace chat
