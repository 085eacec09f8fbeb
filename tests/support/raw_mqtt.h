// MQTT by hand over a socket, for what client libraries never do: repeat a QoS 2 PUBLISH before PUBREL, leave a PUBLISH
// without PUBACK, stop reading, vanish without a FIN. Speaks just as much MQTT 3.1.1 and 5 as the tests need.
//
// Threads: one. Nothing is read but inside receive() and expect(): between calls the socket's buffer fills up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/wait.h"

namespace chat::test {

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
};

struct Packet {
  PacketType type = PacketType::kConnect;
  std::uint8_t flags = 0;  // the low four bits of the first byte
  std::uint16_t id = 0;    // of PUBLISH with QoS above 0, PUBACK … and SUBACK
  int reason = 0;          // of CONNACK, SUBACK (the first), PUBACK … and DISCONNECT; 0 where absent
  std::string topic;       // of PUBLISH
  std::string payload;     // of PUBLISH
};

struct RawOptions {
  std::string client_id{};
  std::string user{};
  std::string password = "demo";
  int protocol = 4;  // 4: MQTT 3.1.1, 5: MQTT 5
  bool clean_start = true;
  int receive_buffer = 0;  // bytes of SO_RCVBUF; 0 = the system's default
  std::uint16_t keepalive_s = 600;
};

class RawMqtt {
 public:
  RawMqtt(int port, RawOptions options);
  ~RawMqtt();
  RawMqtt(const RawMqtt&) = delete;
  RawMqtt& operator=(const RawMqtt&) = delete;

  int connect();  // sends CONNECT, waits for CONNACK, answers its code

  struct Publish {
    int qos = 1;
    std::uint16_t id = 1;
    bool dup = false;
    bool retain = false;
  };
  void publish(std::string_view topic, std::string_view payload, const Publish& how);
  void subscribe(std::string_view filter, int qos, std::uint16_t id);
  void answer(PacketType type, std::uint16_t id);  // PUBACK, PUBREC, PUBREL, PUBCOMP
  void ping();
  void send_bytes(std::string_view bytes);

  // The next packet; nullopt where the broker closed the connection. Throws TimedOut after kPatience.
  std::optional<Packet> receive();
  // Reads on, forgetting others, until such a packet. Throws TimedOut, and std::runtime_error on a closed connection.
  Packet expect(PacketType type, const std::function<bool(const Packet&)>& wanted = {});

  void close_quietly();  // FIN without DISCONNECT
  void reset();          // RST

 private:
  std::string read_bytes(std::size_t count);  // fewer only where the broker closed the connection

  const RawOptions options_;
  int socket_ = -1;
};

}  // namespace chat::test
