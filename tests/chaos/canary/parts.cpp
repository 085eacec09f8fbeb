#include "plugin/broker/parts.h"

#include <cstdlib>

#include "tests/chaos/canary/defects.h"

namespace chat {
namespace {

std::string defect() {
  const char* which = std::getenv("CHAT_CANARY");
  return which != nullptr ? which : "";
}

}  // namespace

Parts chosen_parts() {
  return {.make_broker = [] { return canary::defective_broker(defect()); },
          .open_store = [](const std::string& uri,
                           std::string_view name) { return canary::defective_store(defect(), uri, name); }};
}

}  // namespace chat
