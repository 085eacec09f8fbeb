// What the plugin is made of that reaches outside: the broker and the store. Chosen by the linker, not at run time: the
// build that proves that the chaos run can fail has others (tests/chaos/canary).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "plugin/core/ports.h"
#include "storage/store.h"

namespace chat {

struct Parts {
  std::function<std::unique_ptr<Broker>()> make_broker;
  std::function<std::unique_ptr<Store>(const std::string& uri, std::string_view application_name)> open_store;
};

Parts chosen_parts();

}  // namespace chat
