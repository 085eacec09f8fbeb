// A device opens its tap.
#pragma once

#include <string>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

// One round trip for a device that was seen before. Throws as ReadStore::open_device() does.
DeviceOpening read_opening(Session& session, const std::string& user, const std::string& device);

}  // namespace chat
