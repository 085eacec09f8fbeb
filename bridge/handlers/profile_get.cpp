// `profile.get` {"users"}: how they want to be seen.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler profile_get(const Services& services) {
  return [services](const Request& request) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& profile : services.requests->profiles(Fields(request.fields).users("users", kProfilesMax))) {
      rows.push_back(
          {{"user", profile.user}, {"name", profile.name}, {"avatar", profile.avatar}, {"about", profile.about}});
    }
    return Reply::success({{"profiles", std::move(rows)}});
  };
}

}  // namespace chat
