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
#include <vector>

#include "tests/support/mqtt_packets.h"
#include "tests/support/wait.h"

namespace chat::test {

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
  // The same with a CONNECT of one's own; -1 where the broker closes the connection instead of answering.
  int connect(const ConnectPart& part);

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

  // Everything up to the answer of a PINGREQ of ours, or to the connection's end: what the broker had for this client
  // when it read the PINGREQ. QoS 0 only: nothing is acknowledged.
  std::vector<Packet> drain();
  std::vector<Packet> until_pong();        // where the PINGREQ was sent already
  bool closed() const { return closed_; }  // by the broker, as far as was read

  void close_quietly();  // FIN without DISCONNECT
  void reset();          // RST

 private:
  std::string read_bytes(std::size_t count);  // fewer only where the broker closed the connection

  const RawOptions options_;
  int socket_ = -1;
  bool closed_ = false;
  std::string ahead_;  // read and not yet handed out
};

}  // namespace chat::test
