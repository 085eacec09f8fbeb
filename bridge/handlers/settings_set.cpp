// `settings.set` {"conv","muted"?,"pinned"?,"draft"?}: one's own of that conversation; what is not named stays.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler settings_set(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    SettingsUpdate update;
    update.muted = fields.optional_flag("muted");
    update.pinned = fields.optional_flag("pinned");
    update.draft = fields.optional_text("draft", kDraftMax);
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.set_settings(conv, update);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
