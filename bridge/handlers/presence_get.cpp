// `presence.get` {"users":[…],"watch"?}: who is here. `watch` true: this session is told of each change from now on,
// on chat/u/{user}/presence; false: no longer.
//
// Invariant: the watch is stored before the board is read. A change that the answer does not show yet finds the watch.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/presence/presence_board.h"
#include "bridge/rpc/codes.h"
#include "bridge/rpc/fields.h"
#include "storage/presence.h"
#include "storage/refusals.h"

namespace chat {
namespace {

nlohmann::ordered_json refused(const std::string& user, const char* code, const std::string& reason) {
  return {{"user", user}, {"code", code}, {"reason", reason}};
}

nlohmann::ordered_json row_of(const std::string& asker, const Sighting& sighting, const Presence& presence,
                              TimeMs now) {
  if (!sighting.exists) return refused(sighting.user, code::kNotFound, no_such_user(sighting.user).what());
  if (!sighting.may_see) {
    return refused(sighting.user, code::kNotAllowed, asker + " may not see when " + sighting.user + " is here");
  }
  // What was pushed goes before what is stored, perhaps a moment later.
  const auto known = presence.last_seen != 0 ? presence.last_seen : sighting.last_seen;
  const auto last_seen = presence.online ? now : known;
  return {{"user", sighting.user}, {"online", presence.online}, {"last_seen", last_seen}};
}

}  // namespace

Handler presence_get(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto users = fields.users("users", kPresencesMax);
    const auto watch = fields.optional_flag("watch");
    if (!services.board->current()) {
      return Reply::refusal(code::kUnavailable,
                            "the bridge has just started, and does not know who is here; ask again");
    }
    auto sightings = services.presence->sightings(request.user, users);
    if (watch) {
      std::vector<std::string> watched;
      for (const auto& sighting : sightings) {
        if (!*watch || sighting.may_see) watched.push_back(sighting.user);
      }
      const SessionName session{request.user, request.device};
      if (*watch) {
        services.presence->watch(session, watched, services.now());
      } else {
        services.presence->unwatch(session, watched);
      }
    }
    auto rows = nlohmann::ordered_json::array();
    for (const auto& sighting : sightings) {
      rows.push_back(row_of(request.user, sighting, services.board->find(sighting.user), services.now()));
    }
    return Reply::success({{"presence", std::move(rows)}});
  };
}

}  // namespace chat
