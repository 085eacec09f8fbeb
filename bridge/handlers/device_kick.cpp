// `device.kick` {"device","forget"?}: ends the connection of one's own device, and with `forget` what is known of it.
#include "bridge/handlers/change.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {

Handler device_kick(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto device = fields.text("device", kDeviceNameMax);
    const bool forget = fields.optional_flag("forget").value_or(false);
    return change_once(services, request, [&](RequestChanges& changes) {
      changes.kick_device(device, forget);
      return nlohmann::ordered_json::object();
    });
  };
}

}  // namespace chat
