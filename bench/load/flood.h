// One client that publishes as fast as it is answered, whatever the answers say, reads what it is told, and comes back
// when it is disconnected.
#pragma once

#include <cstdint>
#include <string>

namespace chat::load {

struct FloodOptions {
  int port = 0;
  std::string password;
  std::string tag;     // begins the messages' ids
  std::string user;    // its inbox and errors come to it
  std::string filter;  // what it subscribes to
  std::string topic;
  int in_flight = 100;  // publishes that await their PUBACK
  int body_bytes = 100;
  int back_after_ms = 1000;  // behind a disconnection, as libmosquitto, Paho and MQTT.js do unless told otherwise
};

// Until SIGTERM or SIGINT. Prints KEY=VALUE lines: how many publishes were answered a second, how many error
// messages came for them, and how often it connected. Throws std::runtime_error where it can't even begin.
void run_flood(const FloodOptions& options);

}  // namespace chat::load
