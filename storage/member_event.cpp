#include "storage/member_event.h"

#include <nlohmann/json.hpp>

#include "storage/labels.h"

namespace chat {
namespace {

std::string_view label(MemberEvent::Kind kind) {
  switch (kind) {
    case MemberEvent::Kind::kCreated:
      return "conversation.created";
    case MemberEvent::Kind::kAdded:
      return "member.added";
    case MemberEvent::Kind::kRemoved:
      return "member.removed";
    case MemberEvent::Kind::kRole:
      return "member.role";
  }
  return "";
}

}  // namespace

std::string member_event_payload(const MemberEvent& event) {
  nlohmann::ordered_json out;
  out["conv"] = event.conv;
  out["rev"] = event.rev;
  out["server_time"] = event.server_time;
  out["kind"] = label(event.kind);
  if (!event.user.empty()) out["user"] = event.user;
  if (event.role) out["role"] = label(*event.role);
  if (!event.by.empty()) out["by"] = event.by;
  if (!event.title.empty()) out["title"] = event.title;
  if (event.kind == MemberEvent::Kind::kCreated) out["members"] = event.members;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace chat
