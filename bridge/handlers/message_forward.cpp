// `message.forward` {"conv","seq","to":[conversation or user …]}: sends a message that one may see to others, in one's
// own name. The answer names the ids by which the ack topic tells that each was sent.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {
namespace {

std::vector<std::string> targets_of(const Fields& fields) {
  constexpr char kWhat[] = "names of conversations and users";
  const auto* value = fields.find("to");
  if (value == nullptr || !value->is_array() || value->empty()) {
    throw fields.wrong("to", "an array of at least one of the names of conversations and users");
  }
  if (value->size() > kForwardedAtOnceMax) {
    throw StoreRefused("bad_field", "the field to holds " + std::to_string(value->size()) +
                                        " names, and must hold at most " + std::to_string(kForwardedAtOnceMax));
  }
  std::vector<std::string> targets;
  for (const auto& entry : *value) {
    const auto* name = entry.get_ptr<const std::string*>();
    if (name == nullptr || !(valid_conversation_name(*name) || valid_user_name(*name))) {
      throw wrong_inside("to", entry, kWhat);
    }
    targets.push_back(*name);
  }
  return targets;
}

}  // namespace

Handler message_forward(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto seq = fields.seq("seq");
    const auto targets = targets_of(fields);
    return change_once(services, request, [&](RequestChanges& changes) {
      auto rows = nlohmann::ordered_json::array();
      for (const auto& one : changes.forward_message(conv, seq, targets, services.require_contact)) {
        rows.push_back({{"conv", one.conv}, {"id", one.id}});
      }
      return nlohmann::ordered_json{{"forwarded", std::move(rows)}};
    });
  };
}

}  // namespace chat
