// UUIDs as text: 36 characters, lower case, with hyphens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

std::string uuid_text(const Uuid& uuid);

// nullopt: not 36 characters of that form. Upper case is taken as well.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace chat
