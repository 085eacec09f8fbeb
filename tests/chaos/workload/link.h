// How a client of the workload reaches the broker, whatever the transport. Threads: one client's own; the callback
// comes on the network's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace chat::test {

inline constexpr std::uint32_t kSessionExpiryS = 3600;  // of a session that may be resumed

struct LinkOptions {
  int port = 0;
  std::string user{};
  std::string device{};
  bool mqtt5 = true;
  bool clean = true;  // else the session is resumed
  std::function<void(const std::string& topic, const std::string& payload)> on_message{};
};

class Link {
 public:
  virtual ~Link() = default;
  // False: not now. Answers whether the broker had kept the session in `resumed`.
  virtual bool connect(bool* resumed) = 0;
  virtual bool subscribe(const std::string& filter) = 0;
  // The reason code of the acknowledgement; nullopt: the connection was lost, or nothing came within `patience`.
  virtual std::optional<int> publish(const std::string& topic, const std::string& payload, int qos,
                                     std::chrono::milliseconds patience) = 0;
  virtual bool connected() const = 0;
  virtual void drop() = 0;        // without DISCONNECT
  virtual void disconnect() = 0;  // with it
};

std::unique_ptr<Link> tcp_link(LinkOptions options);        // libmosquitto
std::unique_ptr<Link> websocket_link(LinkOptions options);  // Paho: libmosquitto speaks no websockets

}  // namespace chat::test
