// The few MQTT 3.1.1 packets that a load generator needs, appended to and found in plain byte strings. Own code,
// because the client libraries would take more of the two cores than the broker that is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chat::load {

enum class PacketType : std::uint8_t {
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kSuback = 9,
  kOther = 0,
};

// One packet inside a buffer; the views live as long as it does.
struct Packet {
  PacketType type = PacketType::kOther;
  int qos = 0;               // of a PUBLISH
  std::uint16_t id = 0;      // of a PUBACK, a SUBACK, or a PUBLISH with QoS 1
  std::uint8_t code = 0;     // of a CONNACK or a SUBACK
  std::string_view topic;    // of a PUBLISH
  std::string_view payload;  // of a PUBLISH
};

void append_connect(std::string_view client, std::string_view user, std::string_view password, std::string* out);
void append_subscribe(std::uint16_t id, std::string_view filter, int qos, std::string* out);
void append_publish(std::uint16_t id, std::string_view topic, std::string_view payload, std::string* out);  // QoS 1
void append_puback(std::uint16_t id, std::string* out);
void append_disconnect(std::string* out);

// The first packet of `bytes`: how long it is, 0 where it is not whole yet. Throws std::runtime_error on what no broker
// sends.
std::size_t read_packet(std::string_view bytes, Packet* packet);

}  // namespace chat::load
