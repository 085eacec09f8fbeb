// `member.remove` {"conv","users"}, by owner and admins.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler member_remove(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto users = fields.users("users", kUsersMax);
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.remove_members(conv, users);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
