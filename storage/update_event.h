// The event of a change to what a conversation is called and how it looks, as devices receive it.
#pragma once

#include <string>
#include <string_view>

#include "storage/request_values.h"

namespace chat {

// {"conv":…,"rev":…,"server_time":…,"kind":"conversation.updated","by":…} and those fields that `update` holds. Bytes
// that are not UTF-8 come out as U+FFFD.
std::string update_event_payload(std::string_view conv, Rev rev, TimeMs server_time, std::string_view by,
                                 const ConversationUpdate& update);

}  // namespace chat
