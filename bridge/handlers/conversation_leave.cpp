// `conversation.leave` {"conv"}: who asks is no member any more.
#include "bridge/handlers/change.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler conversation_leave(const Services& services) {
  return [services](const Request& request) {
    const auto conv = Fields(request.fields).conversation();
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.leave(conv);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
