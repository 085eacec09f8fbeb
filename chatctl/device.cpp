#include <string>
#include <vector>

#include "chatctl/context.h"
#include "chatctl/output.h"
#include "storage/labels.h"
#include "storage/refusals.h"

namespace chat::ctl {
namespace {

struct ShowOptions {
  std::string user;
  std::string device;
};

struct SetOptions {
  std::string user;
  std::string device;
  std::string replay;
  std::optional<int> limit;
  std::string ack;
};

// A setting that is not made is null: the server-wide default holds.
Json json_of(const DeviceRow& row) {
  const auto& settings = row.settings;
  return {{"user", row.user},
          {"device", row.device},
          {"first_seen", row.first_seen},
          {"last_seen", row.last_seen},
          {"replay", settings.replay ? Json(label(*settings.replay)) : Json()},
          {"limit", settings.replay_limit ? Json(*settings.replay_limit) : Json()},
          {"ack", settings.ack ? Json(label(*settings.ack)) : Json()}};
}

void print(const Context& context, const std::vector<DeviceRow>& rows) {
  if (context.json) {
    Json devices = Json::array();
    for (const auto& row : rows) devices.push_back(json_of(row));
    print_json({{"devices", devices}});
    return;
  }
  Table table{"USER", "REPLAY", "LIMIT", "ACK", "FIRST SEEN", "LAST SEEN", "DEVICE"};
  for (const auto& row : rows) {
    table.add({row.user, text_or_default(row.settings.replay), text_or_default(row.settings.replay_limit),
               text_or_default(row.settings.ack), time_text(row.first_seen), time_text(row.last_seen),
               harmless(row.device)});
  }
  table.print();
}

void show(Context& context, const ShowOptions& options) {
  const auto rows = context.store().devices(options.user, options.device);
  if (rows.empty() && !options.device.empty()) {
    throw StoreRefused("not_found", "the user \"" + options.user + "\" has no device \"" + options.device + "\"");
  }
  if (rows.empty() && !context.store().load_user(options.user, 0, false)) throw no_such_user(options.user);
  print(context, rows);
}

void set(Context& context, const SetOptions& options) {
  DeviceSettings settings;
  settings.replay = replay_from(options.replay);
  settings.replay_limit = options.limit;
  settings.ack = ack_mode_from(options.ack);
  if (settings == DeviceSettings{})
    throw CLI::ValidationError("device set", "give at least one of --replay, --limit, --ack");
  print(context, {context.store().set_device(options.user, options.device, settings)});
}

}  // namespace

void add_device_commands(CLI::App& app, Context& context) {
  auto* device = app.add_subcommand("device", "Devices and their settings")->require_subcommand(1);

  auto shown = std::make_shared<ShowOptions>();
  auto* show_command = device->add_subcommand("show", "Show a user's devices, or one of them");
  show_command->add_option("USER", shown->user, "Whose")->required();
  show_command->add_option("DEVICE", shown->device, "Its MQTT client id");
  show_command->callback([&context, shown] { show(context, *shown); });

  auto wanted = std::make_shared<SetOptions>();
  auto* set_command = device->add_subcommand("set", "Change a device's settings; it need not have been seen yet");
  set_command->add_option("USER", wanted->user, "Whose")->required();
  set_command->add_option("DEVICE", wanted->device, "Its MQTT client id")->required();
  set_command
      ->add_option("--replay", wanted->replay, "What it gets after an absence: all, or each conversation's newest")
      ->check(CLI::IsMember({"full", "newest"}));
  set_command->add_option("--limit", wanted->limit, "Messages of one conversation, with --replay newest");
  set_command->add_option("--ack", wanted->ack, "Who says that it has a message: the client, or handing it over")
      ->check(CLI::IsMember({"client", "auto"}));
  set_command->callback([&context, wanted] { set(context, *wanted); });
}

}  // namespace chat::ctl
