// Which Mosquitto runs, for what differs between them.
#pragma once

#include <string>

#include "tests/support/mqtt_client.h"

namespace chat::test {

// "2.0.11", as the broker tells the client.
std::string broker_version(MqttClient& client);

}  // namespace chat::test
