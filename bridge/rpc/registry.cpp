#include "bridge/rpc/registry.h"

#include <stdexcept>
#include <utility>

namespace chat {

void Registry::add(std::string operation, Handler handler) {
  const auto [place, added] = handlers_.emplace(std::move(operation), std::move(handler));
  if (!added) throw std::logic_error("the operation " + place->first + " was given two handlers");
}

const Handler* Registry::find(std::string_view operation) const {
  const auto found = handlers_.find(operation);
  return found == handlers_.end() ? nullptr : &found->second;
}

}  // namespace chat
