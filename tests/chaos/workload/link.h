// How a client of the workload reaches the broker, over TCP or a WebSocket. Threads: one client's own; the callback
// comes on the network's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/mqtt_client.h"
#include "tests/support/websocket_relay.h"

namespace chat::test {

inline constexpr std::uint32_t kSessionExpiryS = 3600;  // of a session that may be resumed

struct LinkOptions {
  int port = 0;
  bool websocket = false;
  std::string user{};
  std::string device{};
  bool mqtt5 = true;
  bool clean = true;  // else the session is resumed
  std::function<void(const std::string& topic, const std::string& payload)> on_message{};
};

class Link {
 public:
  explicit Link(LinkOptions options);

  // False: not now. Answers whether the broker had kept the session in `resumed`.
  bool connect(bool* resumed);
  bool subscribe(const std::string& filter);
  // The reason code of the acknowledgement; nullopt: the connection was lost, or nothing came within `patience`.
  std::optional<int> publish(const std::string& topic, const std::string& payload, int qos,
                             std::chrono::milliseconds patience);
  bool connected() const { return client_.connected(); }
  void drop() { client_.drop(); }              // without DISCONNECT
  void disconnect() { client_.disconnect(); }  // with it

 private:
  const LinkOptions options_;
  std::unique_ptr<WebsocketRelay> relay_;
  MqttClient client_;
};

}  // namespace chat::test
