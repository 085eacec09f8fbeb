// `contact.request`, `.accept`, `.remove`, `.block`, `.unblock` {"user"}: what they make of the two is
// storage/contact.h's.
#include "bridge/handlers/change.h"
#include "bridge/rpc/fields.h"
#include "storage/labels.h"

namespace chat {

Handler contact_change(const Services& services, ContactAction action) {
  return [services, action](const Request& request) {
    const auto other = Fields(request.fields).user("user");
    return change_once(services, request, [&](RequestChanges& changes) {
      const auto state = changes.change_contact(action, other);
      return nlohmann::ordered_json{{"user", other}, {"state", state ? label(*state) : "none"}};
    });
  };
}

}  // namespace chat
