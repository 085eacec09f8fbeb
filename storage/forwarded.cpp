#include "storage/forwarded.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "storage/json_members.h"

namespace chat {
namespace {

constexpr std::array<std::string_view, 5> kOfItsPlace{"id", "reply_to", "mentions", "edited", "forwarded"};

}  // namespace

std::optional<std::string> forwarded_payload(std::string_view payload, std::string_view id, const ForwardedFrom& from) {
  if (!json_member(payload, "body")) return std::nullopt;
  nlohmann::ordered_json head{{"id", id}};
  head["forwarded"] = {{"conv", from.conv}, {"seq", from.seq}, {"from", from.from}};
  auto text = head.dump();
  text.pop_back();
  JsonMembers members(payload);
  while (members.next()) {
    const auto named = [&members](std::string_view name) { return members.named(name); };
    if (std::any_of(kOfItsPlace.begin(), kOfItsPlace.end(), named)) continue;
    text.append(",\"").append(members.name()).append("\":").append(members.value());
  }
  return text + "}";
}

bool is_forwarded(std::string_view payload) {
  return json_member(payload, "forwarded").has_value();
}

}  // namespace chat
