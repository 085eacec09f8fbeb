// `device.set` {"device","replay"?,"limit"?,"ack"?}, of one's own devices: what is not named stays.
#include "bridge/handlers/change.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"
#include "storage/labels.h"
#include "storage/names.h"
#include "storage/refusals.h"

namespace chat {
namespace {

template <typename Value>
std::optional<Value> word_of(const Fields& fields, const char* name, std::optional<Value> (*read)(std::string_view),
                             const char* words) {
  constexpr std::size_t kWordMax = 16;  // bytes
  const auto word = fields.optional_text(name, kWordMax);
  if (!word) return std::nullopt;
  const auto value = read(*word);
  if (!value) throw fields.wrong(name, words);
  return value;
}

}  // namespace

Handler device_set(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto device = fields.text("device", kDeviceNameMax);
    DeviceSettings settings;
    settings.replay = word_of(fields, "replay", replay_from, "full or newest");
    settings.ack = word_of(fields, "ack", ack_mode_from, "client or auto");
    if (const auto limit = fields.optional_number("limit", 1, kReplayLimitMax)) {
      settings.replay_limit = static_cast<int>(*limit);
    }
    return change_once(services, request,
                       [&](RequestChanges& changes) { return json_of(changes.set_device(device, settings)); });
  };
}

}  // namespace chat
