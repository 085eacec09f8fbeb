// Who may write to whom in a direct conversation. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "plugin/core/refusal.h"
#include "storage/types.h"

namespace chat {

// Why `from`, one of the two of the direct conversation `conv`, may not write to the other: `blocked` where either
// blocks the other, `not_allowed` where they are no contacts and `contacts_only`. nullopt: it may. The refusal has no
// id.
std::optional<Refusal> refuse_direct(std::string_view conv, const DirectStanding& standing, std::string_view from,
                                     bool contacts_only);

}  // namespace chat
