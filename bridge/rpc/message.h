// What travels between the broker's link and the core that answers requests: MQTT messages without any MQTT library's
// types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace chat {

// A request as it came from the broker.
struct Incoming {
  std::string topic;                          // {prefix}/rpc/{operation}
  std::string payload;                        // the plugin's envelope, see envelope.h
  std::optional<std::string> response_topic;  // MQTT 5 properties of the client's own publish
  std::optional<std::string> correlation;     // bytes, not text
};

// A message for the link to publish with QoS 1, not retained.
struct Outgoing {
  std::string topic;
  std::string payload;
  std::optional<std::string> correlation;
  std::uint64_t ticket = 0;  // the link's own: whom to tell what became of it; 0 = nobody

  bool operator==(const Outgoing&) const = default;
};

}  // namespace chat
