// `conversation.get` {"conv"}: one conversation, as the one who asks sees it.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler conversation_get(const Services& services) {
  return [services](const Request& request) {
    const auto view =
        services.requests->conversation(Fields(request.fields).conversation(), request.user, services.now());
    auto fields = json_of(view);
    fields["members"] = view.members;
    return Reply::success(std::move(fields));
  };
}

}  // namespace chat
