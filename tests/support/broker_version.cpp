#include "tests/support/broker_version.h"

#include <stdexcept>

namespace chat::test {

std::string broker_version(MqttClient& client) {
  const std::string topic = "$SYS/broker/version";
  const std::string name = "mosquitto version ";
  client.subscribe(topic);
  const auto told = client.expect("the broker's version", [&](const Message& one) { return one.topic == topic; });
  if (!told.payload.starts_with(name)) throw std::runtime_error("a broker of another kind: " + told.payload);
  return told.payload.substr(name.size());
}

}  // namespace chat::test
