// A device opens its tap.
#pragma once

#include <optional>
#include <string>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

// One round trip for a device that was seen before. Throws as ReadStore::open_device() does.
DeviceOpening read_opening(PostgresSession& session, const std::string& user, const std::string& device);

// As ReadStore::owed_in(); three rows by their keys.
std::optional<Owed> read_owed_in(PostgresSession& session, const std::string& user, const std::string& device,
                                 ConvId conv);

}  // namespace chat
