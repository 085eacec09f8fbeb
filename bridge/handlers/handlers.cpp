#include "bridge/handlers/handlers.h"

namespace chat {

Registry all_handlers(const Services& services) {
  Registry registry;
  registry.add("ping", ping(services));
  return registry;
}

}  // namespace chat
