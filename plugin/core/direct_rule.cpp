#include "plugin/core/direct_rule.h"

#include "storage/contact.h"
#include "storage/names.h"

namespace chat {

std::optional<Refusal> refuse_direct(std::string_view conv, const DirectStanding& standing, std::string_view from,
                                     bool contacts_only) {
  if (!kept_apart(standing, contacts_only)) return std::nullopt;
  const auto users = direct_users(conv);
  if (!users) return std::nullopt;
  const bool first = from == users->first;
  const auto to = first ? users->second : users->first;
  if (first ? standing.first_blocks : standing.second_blocks) {
    return Refusal{.code = Code::kBlocked,
                   .reason = "User " + in_quotes(from) + " blocks " + in_quotes(to) + ": contact.unblock comes first.",
                   .id = {}};
  }
  if (first ? standing.second_blocks : standing.first_blocks) {
    return Refusal{.code = Code::kBlocked,
                   .reason = "User " + in_quotes(to) + " takes nothing from " + in_quotes(from) + ".",
                   .id = {}};
  }
  return Refusal{.code = Code::kNotAllowed,
                 .reason = "User " + in_quotes(to) + " is no contact of " + in_quotes(from) +
                           ": only contacts write to each other here.",
                 .id = {}};
}

}  // namespace chat
