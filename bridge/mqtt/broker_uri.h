// The broker's address as people write it.
#pragma once

#include <string>
#include <string_view>

namespace chat {

inline constexpr int kMqttPort = 1883;

struct BrokerUri {
  std::string host;  // a name, an IPv4 address, or an IPv6 address in brackets
  int port = kMqttPort;
};

// Reads mqtt://host or mqtt://host:port. Throws std::invalid_argument with a sentence that holds the address.
BrokerUri parse_broker_uri(std::string_view uri);

// The same in the MQTT library's spelling: its older versions know no mqtt://.
std::string paho_uri(const BrokerUri& uri);

}  // namespace chat
