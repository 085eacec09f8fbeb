// The core's Broker, spoken in Mosquitto's functions. The broker's thread only: none of them is safe elsewhere.
#pragma once

#include "plugin/core/ports.h"

namespace chat {

class MosquittoBroker : public Broker {
 public:
  void publish_to(const std::string& device, const std::string& topic, std::string_view payload, int qos) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;
  void kick(const std::string& device) override;
  void log(LogLevel level, const std::string& text) override;
};

}  // namespace chat
