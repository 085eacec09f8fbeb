// The core's Broker, spoken in Mosquitto's functions. The broker's thread only: none of them is safe elsewhere.
//
// Mosquitto 2.0 sends what it was given right behind the tick, so the tick is where it gets it. Mosquitto 2.1 reads
// from its clients between the tick and that: there nothing is won by waiting, and each is given at once.
#pragma once

#include "plugin/broker/handover.h"
#include "plugin/core/ports.h"

namespace chat {

class MosquittoBroker : public Broker {
 public:
  void publish_to(const Recipient& recipient, std::string topic, Bytes payload, int qos) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;
  void kick(const std::string& device) override;
  int subscriptions(const void* handle) override;
  bool keeps_session(const void* handle) override;
  void log(LogLevel level, const std::string& text) override;
  void deliver(const IsThere& is_there) override;

 private:
  Handover handover_;
};

}  // namespace chat
