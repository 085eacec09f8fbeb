// One request and its reply: what a handler takes and gives.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace chat {

inline constexpr std::size_t kRequestIdMax = 64;  // bytes

struct Request {
  std::string operation;  // "ping", "conversation.create" …
  std::string user;       // authenticated by the broker
  std::string device;     // the MQTT client id
  std::string id;  // the client's own, 1 to kRequestIdMax bytes; the same id again is the same request sent again
  nlohmann::json fields;  // the client's whole object, `id` included; any type may stand in any field: handlers check
};

// Either the fields of a success, or a refusal. The frame puts "id" and "ok" in front.
struct Reply {
  static Reply success(nlohmann::ordered_json fields, std::string raw = {}) {
    return {std::move(fields), std::move(raw), {}, {}};
  }
  // `code` is one of topics.md's; `reason` a sentence that holds the offending value.
  static Reply refusal(std::string code, std::string reason) {
    return {nlohmann::ordered_json::object(), {}, std::move(code), std::move(reason)};
  }
  bool ok() const { return code.empty(); }

  nlohmann::ordered_json fields;  // an object, or null where there are none
  // Further members, as they stand in an object's text ("messages":[…]): what must reach the client in the same bytes
  // in which it was kept. None of their names may be one of `fields`.
  std::string raw;
  std::string code;
  std::string reason;
};

}  // namespace chat
