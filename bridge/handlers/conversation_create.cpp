// `conversation.create`: a group, {"title","members","announcement"?,"avatar"?}, or a direct one, {"user"}.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {

Handler conversation_create(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    if (fields.has("user")) {
      const auto other = fields.user("user");
      if (fields.has("members")) throw fields.wrong("members", "absent beside user");
      return change_once(services, request, [&](RequestChanges& changes) {
        return nlohmann::ordered_json{{"conv", changes.create_direct(other, services.require_contact)}};
      });
    }
    NewGroup group;
    group.title = fields.optional_text("title", kTitleMax).value_or("");
    group.avatar = fields.optional_text("avatar", kAvatarMax).value_or("");
    group.announcement = fields.optional_flag("announcement").value_or(false);
    group.members = fields.users("members", kUsersMax, true);
    return change_once(services, request, [&](RequestChanges& changes) {
      return nlohmann::ordered_json{{"conv", changes.create_group(group, {services.members_max, services.groups_max})}};
    });
  };
}

}  // namespace chat
