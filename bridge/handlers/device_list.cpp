// `device.list` {"limit"?,"cursor"?}: one's own devices, in byte order.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {

Handler device_list(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto limit = static_cast<std::size_t>(fields.limit(kPageUsual, kPageMost));
    const auto devices =
        services.requests->devices(request.user, fields.name_cursor(kDeviceNameMax), static_cast<int>(limit) + 1);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& device : devices) {
      if (rows.size() == limit) break;
      rows.push_back(json_of(device));
    }
    nlohmann::ordered_json answer{{"devices", std::move(rows)}};
    if (devices.size() > limit) answer["cursor"] = devices[limit - 1].device;
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
