#include "bench/load/mqtt.h"

#include <stdexcept>

namespace chat::load {
namespace {

constexpr char kConnect = 0x10;
constexpr char kPublishQos1 = 0x32;
constexpr char kPuback = 0x40;
constexpr char kSubscribe = static_cast<char>(0x82);
constexpr char kDisconnect = static_cast<char>(0xE0);
constexpr std::uint16_t kKeepaliveS = 600;

void append_number(std::size_t number, std::string* out) {
  out->push_back(static_cast<char>(number >> 8 & 0xFF));
  out->push_back(static_cast<char>(number & 0xFF));
}

void append_text(std::string_view text, std::string* out) {
  append_number(text.size(), out);
  out->append(text);
}

void append_length(std::size_t length, std::string* out) {
  while (length > 127) {
    out->push_back(static_cast<char>((length & 0x7F) | 0x80));
    length >>= 7;
  }
  out->push_back(static_cast<char>(length));
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + 2)
    throw std::runtime_error("MQTT: a packet of " + std::to_string(bytes.size()) + " bytes is too short");
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

void read_publish(std::string_view body, Packet* packet) {
  const std::size_t topic = number_at(body, 0);
  const std::size_t payload = 2 + topic + (packet->qos > 0 ? 2 : 0);
  if (payload > body.size()) throw std::runtime_error("MQTT: a PUBLISH is shorter than its topic");
  packet->topic = body.substr(2, topic);
  if (packet->qos > 0) packet->id = number_at(body, 2 + topic);
  packet->payload = body.substr(payload);
}

}  // namespace

void append_connect(std::string_view client, std::string_view user, std::string_view password, std::string* out) {
  constexpr std::size_t kFixed = 10;
  out->push_back(kConnect);
  append_length(kFixed + 6 + client.size() + user.size() + password.size(), out);
  append_text("MQTT", out);
  out->push_back(4);                        // 3.1.1
  out->push_back(static_cast<char>(0xC2));  // user name, password, clean session
  append_number(kKeepaliveS, out);
  append_text(client, out);
  append_text(user, out);
  append_text(password, out);
}

void append_subscribe(std::uint16_t id, std::string_view filter, int qos, std::string* out) {
  out->push_back(kSubscribe);
  append_length(2 + 2 + filter.size() + 1, out);
  append_number(id, out);
  append_text(filter, out);
  out->push_back(static_cast<char>(qos));
}

void append_publish(std::uint16_t id, std::string_view topic, std::string_view payload, std::string* out) {
  out->push_back(kPublishQos1);
  append_length(2 + topic.size() + 2 + payload.size(), out);
  append_text(topic, out);
  append_number(id, out);
  out->append(payload);
}

void append_puback(std::uint16_t id, std::string* out) {
  out->push_back(kPuback);
  out->push_back(2);
  append_number(id, out);
}

void append_disconnect(std::string* out) {
  out->push_back(kDisconnect);
  out->push_back(0);
}

std::size_t read_packet(std::string_view bytes, Packet* packet) {
  std::size_t length = 0;
  std::size_t at = 1;
  for (int shift = 0;; shift += 7, ++at) {
    if (at >= bytes.size()) return 0;
    if (shift > 21) throw std::runtime_error("MQTT: a length of more than four bytes");
    length |= static_cast<std::size_t>(bytes[at] & 0x7F) << shift;
    if ((bytes[at] & 0x80) == 0) break;
  }
  ++at;
  if (bytes.size() < at + length) return 0;
  const auto head = static_cast<unsigned char>(bytes[0]);
  const auto body = bytes.substr(at, length);
  *packet = Packet{};
  packet->type = static_cast<PacketType>(head >> 4);
  switch (packet->type) {
    case PacketType::kConnack:
      packet->code = static_cast<std::uint8_t>(number_at(body, 0) & 0xFF);
      break;
    case PacketType::kPublish:
      packet->qos = head >> 1 & 3;
      read_publish(body, packet);
      break;
    case PacketType::kPuback:
      packet->id = number_at(body, 0);
      break;
    case PacketType::kSuback:
      packet->id = number_at(body, 0);
      packet->code = static_cast<std::uint8_t>(body.back());
      break;
    default:
      packet->type = PacketType::kOther;
      break;
  }
  return at + length;
}

}  // namespace chat::load
