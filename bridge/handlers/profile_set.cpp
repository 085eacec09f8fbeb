// `profile.set` {"name"?,"avatar"?,"about"?}: one's own; what is not named stays.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler profile_set(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    ProfileUpdate update;
    update.name = fields.optional_text("name", kDisplayNameMax);
    update.avatar = fields.optional_text("avatar", kAvatarMax);
    update.about = fields.optional_text("about", kAboutMax);
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.set_profile(update);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
