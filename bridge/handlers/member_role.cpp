// `member.role` {"conv","user","role"}, by the owner, who becomes an admin when another one becomes the owner.
#include "bridge/handlers/change.h"
#include "bridge/rpc/fields.h"
#include "storage/labels.h"

namespace chat {

Handler member_role(const Services& services) {
  return [services](const Request& request) {
    constexpr std::size_t kWordMax = 16;  // bytes
    constexpr char kWords[] = "member, admin or owner";
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto user = fields.user("user");
    if (!fields.has("role")) throw fields.wrong("role", kWords);
    const auto role = role_from(fields.text("role", kWordMax));
    if (!role) throw fields.wrong("role", kWords);
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.set_role(conv, user, *role);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
