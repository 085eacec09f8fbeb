// The events of a conversation's membership, as devices receive them: the same bytes from every store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// Empty strings and absent values are left out of the object.
struct MemberEvent {
  enum class Kind { kCreated, kAdded, kRemoved, kRole };
  Kind kind = Kind::kCreated;
  std::string_view conv{};
  Rev rev = 0;
  TimeMs server_time = 0;
  std::string_view user{};     // whom it is about
  std::optional<Role> role{};  // what they are now
  std::string_view by{};       // who did it
  std::string_view title{};    // with kCreated
  std::int64_t members = 0;    // with kCreated: how many
};

// {"conv":…,"rev":…,"server_time":…,"kind":"member.added",…}. Bytes that are not UTF-8 come out as U+FFFD.
std::string member_event_payload(const MemberEvent& event);

}  // namespace chat
