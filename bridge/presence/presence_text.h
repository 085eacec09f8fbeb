// How presence is written, for those who watch and in Redis.
#pragma once

#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// {"user":"bob","online":true,"last_seen":1700000000000}
std::string presence_text(const std::string& user, bool online, TimeMs last_seen);

std::string presence_topic(std::string_view prefix, std::string_view user);  // {prefix}/u/{user}/presence

}  // namespace chat
