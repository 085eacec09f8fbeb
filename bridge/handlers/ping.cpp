// `ping`: is the bridge there, which version is it, and what time does it think it is. Needs nothing behind it.
#include "bridge/handlers/handlers.h"
#include "bridge/version.h"

namespace chat {

Handler ping(const Services& services) {
  return [now = services.now](const Request&) {
    return Reply::success({{"server_time", now()}, {"version", kVersion}});
  };
}

}  // namespace chat
