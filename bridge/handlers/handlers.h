// The list of all operations. A new one is a file in this folder that defines one of the functions below, a line here,
// and a line in handlers.cpp; the frame around them stays as it is.
#pragma once

#include <functional>

#include "bridge/rpc/registry.h"
#include "storage/types.h"

namespace chat {

// What handlers may use. Everything outlives them.
struct Services {
  std::function<TimeMs()> now;  // the wall clock
};

Handler ping(const Services& services);

Registry all_handlers(const Services& services);

}  // namespace chat
