// Envelopes as the plugin makes them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace chat::test {

// The client's bytes are put in as they are: whether they are JSON is the bridge's business.
inline std::string wrapped(const std::string& request, const std::string& user = "alice",
                           const std::string& device = "phone") {
  return R"({"seal":"f00d","user":)" + nlohmann::json(user).dump() + R"(,"device":)" + nlohmann::json(device).dump() +
         R"(,"request":)" + request + "}";
}

}  // namespace chat::test
