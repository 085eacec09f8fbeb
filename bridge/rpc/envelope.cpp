#include "bridge/rpc/envelope.h"

#include <utility>

#include "bridge/rpc/quote.h"
#include "bridge/rpc/strict_json.h"
#include "storage/names.h"

namespace chat {
namespace {

const std::string* text_at(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

Envelope open_envelope(std::string_view payload) {
  Envelope envelope;
  StrictJson parsed = parse_strict(payload);
  const std::string* user = text_at(parsed.value, "user");
  const std::string* device = text_at(parsed.value, "device");
  if (user == nullptr || device == nullptr || !valid_user_name(*user)) {
    envelope.error = "an envelope must name a user and a device, and this one begins " + in_quotes(payload);
    return envelope;
  }
  envelope.user = *user;
  envelope.device = *device;
  // In a whole envelope any error lies in the client's bytes: the plugin's own are in front of them, and were read.
  if (!parsed.ok()) {
    envelope.error = "the payload " + parsed.error;
    return envelope;
  }
  const auto request = parsed.value.find("request");
  if (request == parsed.value.end() || parsed.value.size() != 4) {
    envelope.error = "the payload must be one JSON object with nothing behind it";
    return envelope;
  }
  if (!request->is_object()) {
    envelope.error = "the payload is " + described(*request) + ", and must be a JSON object";
    return envelope;
  }
  envelope.request = std::move(*request);
  return envelope;
}

}  // namespace chat
