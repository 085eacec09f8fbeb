// `member.add` {"conv","users"}, by owner and admins; on a direct conversation it makes a new group, whose name comes
// back.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler member_add(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto users = fields.users("users", kUsersMax);
    return change_once(services, request, [&](RequestChanges& changes) {
      const auto done = changes.add_members(conv, users, {services.members_max, services.groups_max});
      return nlohmann::ordered_json{{"conv", done.conv}, {"added", done.added}};
    });
  };
}

}  // namespace chat
