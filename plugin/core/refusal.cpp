#include "plugin/core/refusal.h"

#include <nlohmann/json.hpp>

namespace chat {
namespace {

constexpr std::size_t kQuotedMax = 80;  // bytes of an offending value that a sentence shows

}  // namespace

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kBadJson:
      return "bad_json";
    case Code::kBadField:
      return "bad_field";
    case Code::kReservedField:
      return "reserved_field";
    case Code::kTooLarge:
      return "too_large";
    case Code::kNotMember:
      return "not_member";
    case Code::kNotFound:
      return "not_found";
    case Code::kNotAllowed:
      return "not_allowed";
    case Code::kTooLate:
      return "too_late";
    case Code::kBlocked:
      return "blocked";
    case Code::kIdConflict:
      return "id_conflict";
    case Code::kRateLimited:
      return "rate_limited";
    case Code::kStorageFull:
      return "storage_full";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kUnknownOperation:
      return "unknown_operation";
  }
  return "unavailable";
}

Refusal refusal_of(Code code, std::string reason, std::string_view id) {
  return {.code = code, .reason = std::move(reason), .id = std::string(id)};
}

std::string refusal_json(const Refusal& refusal, std::string_view topic) {
  nlohmann::ordered_json json;
  json["code"] = code_name(refusal.code);
  json["reason"] = refusal.reason;
  json["topic"] = topic;
  if (refusal.id.empty()) {
    json["id"] = nullptr;
  } else {
    json["id"] = refusal.id;
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kQuotedMax;
  auto end = cut ? kQuotedMax : text.size();
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // not inside a UTF-8 sequence
  std::string out = "\"";
  for (const char c : text.substr(0, end)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    out += control ? '?' : c;
  }
  out += cut ? "…\"" : "\"";
  return out;
}

}  // namespace chat
