#include "storage/message_event.h"

#include <nlohmann/json.hpp>

#include "storage/json_members.h"

namespace chat {
namespace {

constexpr std::string_view kRecalled = "message.recalled";
constexpr std::string_view kEdited = "message.edited";
constexpr std::string_view kReaction = "message.reaction";

std::string_view label(MessageEvent::Kind kind) {
  switch (kind) {
    case MessageEvent::Kind::kRecalled:
      return kRecalled;
    case MessageEvent::Kind::kEdited:
      return kEdited;
    case MessageEvent::Kind::kReaction:
      return kReaction;
  }
  return "";
}

}  // namespace

std::string message_event_payload(const MessageEvent& event) {
  nlohmann::ordered_json out;
  out["conv"] = event.conv;
  out["rev"] = event.rev;
  out["server_time"] = event.server_time;
  out["kind"] = label(event.kind);
  out["seq"] = event.seq;
  out[event.kind == MessageEvent::Kind::kReaction ? "user" : "by"] = event.by;
  if (event.kind == MessageEvent::Kind::kReaction) {
    out["emoji"] = event.emoji;
    out["on"] = event.on;
  }
  auto text = out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (event.kind == MessageEvent::Kind::kEdited) {
    text.pop_back();
    text.append(",\"body\":").append(event.body).append("}");
  }
  return text;
}

std::optional<Rewriting> rewriting_of(std::string_view event_payload) {
  const auto kind = json_text(event_payload, "kind");
  if (kind != kRecalled && kind != kEdited) return std::nullopt;
  const auto seq = json_number(event_payload, "seq");
  const auto at = json_number(event_payload, "server_time");
  auto by = json_text(event_payload, "by");
  if (!seq || !at || !by) return std::nullopt;
  Rewriting rewriting{.seq = *seq, .recalled = kind == kRecalled, .by = std::move(*by), .at = *at};
  if (rewriting.recalled) return rewriting;
  const auto body = json_member(event_payload, "body");
  if (!body) return std::nullopt;
  rewriting.body = *body;
  return rewriting;
}

std::string tombstone(std::string_view by, TimeMs at) {
  std::string out = "{\"recalled\":true,\"by\":\"";
  out.append(by).append("\",\"at\":").append(std::to_string(at)).append("}");
  return out;
}

std::optional<std::string> edited_object(std::string_view object, std::string_view body, TimeMs at) {
  const auto time = std::to_string(at);
  std::string out;
  out.reserve(object.size() + body.size() + time.size() + 12);
  std::size_t copied = 0;
  bool has_body = false;
  bool has_time = false;
  const auto replace = [&](const JsonMembers& members, std::string_view with) {
    out.append(object.substr(copied, members.value_begin() - copied)).append(with);
    copied = members.value_end();
  };
  JsonMembers members(object);
  while (members.next()) {
    if (members.named("body")) {
      replace(members, body);
      has_body = true;
    } else if (members.named("edited")) {
      replace(members, time);
      has_time = true;
    }
  }
  if (!has_body || members.brace() == std::string_view::npos) return std::nullopt;
  out.append(object.substr(copied, members.brace() - copied));
  if (!has_time) out.append(",\"edited\":").append(time);
  out.append(object.substr(members.brace()));
  return out;
}

}  // namespace chat
