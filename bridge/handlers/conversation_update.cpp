// `conversation.update` {"conv","title"?,"avatar"?,"announcement"?}, by the owner and admins of a group.
#include "bridge/handlers/change.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {

Handler conversation_update(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    ConversationUpdate update;
    update.title = fields.optional_text("title", kTitleMax);
    update.avatar = fields.optional_text("avatar", kAvatarMax);
    update.announcement = fields.optional_flag("announcement");
    if (!update.title && !update.avatar && !update.announcement) {
      throw fields.wrong("title", "there, or avatar or announcement");
    }
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.update_conversation(conv, update);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
