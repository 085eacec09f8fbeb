// A device's row, and its settings as three neighbouring columns: replay, replay_limit, ack.
#pragma once

#include "storage/postgres/fields.h"
#include "storage/types.h"

namespace chat {

inline DeviceSettings settings_of(const compat::Row& row, int column) {
  using Column = compat::Row::size_type;
  const auto at = [&](int offset) { return row[static_cast<Column>(column + offset)]; };
  DeviceSettings settings;
  if (!at(0).is_null()) settings.replay = static_cast<Replay>(number(at(0)));
  if (!at(1).is_null()) settings.replay_limit = static_cast<int>(number(at(1)));
  if (!at(2).is_null()) settings.ack = static_cast<AckMode>(number(at(2)));
  return settings;
}

// A row of user_name, device, first_seen, last_seen and the settings.
inline DeviceRow device_of(const compat::Row& row) {
  return {text(row[0]), text(row[1]), number(row[2]), number(row[3]), settings_of(row, 4)};
}

}  // namespace chat
