// Requests that change something: carried out once, however often they are sent.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "bridge/handlers/handlers.h"
#include "bridge/rpc/request.h"
#include "storage/requests.h"

namespace chat {

// The reply with the fields that `work` answers, or, where the same request was carried out before, those that it
// answered then. `work` runs in one transaction, and perhaps twice (RequestStore::once()).
Reply change_once(const Services& services, const Request& request,
                  const std::function<nlohmann::ordered_json(RequestChanges&)>& work);

}  // namespace chat
