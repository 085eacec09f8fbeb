#include "tests/support/mqtt_packets.h"

#include <stdexcept>

namespace chat::test {
namespace {

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes.at(at));
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// The variable byte integer at `*at`, which moves behind it.
std::size_t take_variable(std::string_view body, std::size_t* at) {
  std::size_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto digit = byte_at(body, (*at)++);
    number |= static_cast<std::size_t>(digit & 127) << shift;
    if ((digit & 128) == 0) return number;
  }
}

std::size_t behind_properties(std::string_view body, std::size_t at) {
  const auto length = take_variable(body, &at);
  return at + length;
}

// How many bytes the value of property `id` has that starts at `at`.
std::size_t value_size(int id, std::string_view body, std::size_t at) {
  switch (id) {
    case property::kPayloadFormat:
      return 1;
    case property::kMessageExpiry:
      return 4;
    case property::kTopicAlias:
      return 2;
    case property::kUserProperty: {
      const std::size_t name = 2U + number_at(body, at);
      return name + 2U + number_at(body, at + name);
    }
    default:
      return 2U + number_at(body, at);  // the texts
  }
}

// The subscription identifiers among the properties of a PUBLISH, which start at `at`.
std::vector<int> subscription_ids(std::string_view body, std::size_t at) {
  std::vector<int> ids;
  const auto end = behind_properties(body, at);
  take_variable(body, &at);
  while (at < end) {
    const auto id = static_cast<int>(take_variable(body, &at));
    if (id == property::kSubscriptionId) {
      ids.push_back(static_cast<int>(take_variable(body, &at)));
    } else {
      at += value_size(id, body, at);
    }
  }
  return ids;
}

void take_publish(int protocol, std::string_view body, Packet* packet) {
  const std::size_t topic_size = number_at(body, 0);
  packet->topic = body.substr(2, topic_size);
  std::size_t at = 2 + topic_size;
  if ((packet->flags & 6) != 0) {
    packet->id = number_at(body, at);
    at += 2;
  }
  if (protocol == 5) {
    packet->subscription_ids = subscription_ids(body, at);
    at = behind_properties(body, at);
  }
  packet->payload = body.substr(at);
}

void append_properties(int protocol, const Properties& properties, std::string* body) {
  if (protocol == 5) body->append(variable_bytes(properties.bytes().size())).append(properties.bytes());
}

}  // namespace

std::string two_bytes(std::size_t number) {
  return {static_cast<char>(number >> 8 & 0xFF), static_cast<char>(number & 0xFF)};
}

std::string four_bytes(std::size_t number) {
  return two_bytes(number >> 16 & 0xFFFF) + two_bytes(number & 0xFFFF);
}

std::string variable_bytes(std::size_t number) {
  std::string bytes;
  do {
    const auto digit = number % 128;
    number /= 128;
    bytes.push_back(static_cast<char>(digit | (number > 0 ? 128U : 0U)));
  } while (number > 0);
  return bytes;
}

std::string with_length(std::string_view text) {
  return two_bytes(text.size()).append(text);
}

std::string packet(PacketType type, unsigned flags, std::string_view body) {
  std::string bytes(1, static_cast<char>(static_cast<unsigned>(type) << 4 | flags));
  return bytes.append(variable_bytes(body.size())).append(body);
}

Properties& Properties::byte(int id, std::size_t value) {
  bytes_.push_back(static_cast<char>(id));
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

Properties& Properties::two(int id, std::size_t value) {
  bytes_.push_back(static_cast<char>(id));
  bytes_ += two_bytes(value);
  return *this;
}

Properties& Properties::four(int id, std::size_t value) {
  bytes_.push_back(static_cast<char>(id));
  bytes_ += four_bytes(value);
  return *this;
}

Properties& Properties::variable(int id, std::size_t value) {
  bytes_.push_back(static_cast<char>(id));
  bytes_ += variable_bytes(value);
  return *this;
}

Properties& Properties::text(int id, std::string_view value) {
  bytes_.push_back(static_cast<char>(id));
  bytes_ += with_length(value);
  return *this;
}

Properties& Properties::pair(std::string_view name, std::string_view value) {
  bytes_.push_back(static_cast<char>(property::kUserProperty));
  bytes_ += with_length(name) + with_length(value);
  return *this;
}

std::string connect_packet(const ConnectPart& part) {
  std::string body = with_length("MQTT");
  body.push_back(static_cast<char>(part.protocol));
  unsigned flags = (part.user.empty() ? 0U : 0xC0U) | (part.clean_start ? 2U : 0U);
  if (part.will) flags |= 4U | static_cast<unsigned>(part.will->qos) << 3 | (part.will->retain ? 32U : 0U);
  body.push_back(static_cast<char>(flags));
  body += two_bytes(part.keepalive_s);
  append_properties(part.protocol, part.properties, &body);
  body += with_length(part.client_id);
  if (part.will) {
    append_properties(part.protocol, part.will->properties, &body);
    body += with_length(part.will->topic) + with_length(part.will->payload);
  }
  if (!part.user.empty()) body += with_length(part.user) + with_length(part.password);
  return packet(PacketType::kConnect, 0, body);
}

std::string publish_packet(int protocol, std::string_view topic, std::string_view payload, const PublishPart& part) {
  std::string body = with_length(topic);
  if (part.qos > 0) body += two_bytes(part.id);
  append_properties(protocol, part.properties, &body);
  body.append(payload);
  const unsigned flags = (part.dup ? 8U : 0U) | static_cast<unsigned>(part.qos) << 1 | (part.retain ? 1U : 0U);
  return packet(PacketType::kPublish, flags, body);
}

std::string subscribe_packet(int protocol, std::uint16_t id, const std::vector<FilterPart>& filters,
                             const Properties& properties) {
  std::string body = two_bytes(id);
  append_properties(protocol, properties, &body);
  for (const auto& part : filters) {
    body += with_length(part.filter);
    body.push_back(static_cast<char>(part.options));
  }
  return packet(PacketType::kSubscribe, 2, body);
}

std::string unsubscribe_packet(int protocol, std::uint16_t id, const std::vector<std::string>& filters) {
  std::string body = two_bytes(id);
  append_properties(protocol, {}, &body);
  for (const auto& filter : filters) body += with_length(filter);
  return packet(PacketType::kUnsubscribe, 2, body);
}

std::string answer_packet(PacketType type, std::uint16_t id) {
  return packet(type, type == PacketType::kPubrel ? 2 : 0, two_bytes(id));
}

Packet parse_packet(int protocol, unsigned first_byte, std::string_view body) {
  const bool five = protocol == 5;
  Packet packet;
  packet.type = static_cast<PacketType>(first_byte >> 4);
  packet.flags = first_byte & 15;
  packet.bytes.push_back(static_cast<char>(first_byte));
  packet.bytes.append(variable_bytes(body.size())).append(body);
  switch (packet.type) {
    case PacketType::kConnack:
      packet.reason = static_cast<int>(byte_at(body, 1));
      break;
    case PacketType::kPublish:
      take_publish(protocol, body, &packet);
      break;
    case PacketType::kSuback:
      packet.id = number_at(body, 0);
      packet.reason = static_cast<int>(byte_at(body, five ? behind_properties(body, 2) : 2));
      break;
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      packet.id = number_at(body, 0);
      if (body.size() > 2) packet.reason = static_cast<int>(byte_at(body, 2));
      break;
    case PacketType::kUnsuback:
      packet.id = number_at(body, 0);
      break;
    case PacketType::kDisconnect:
      if (!body.empty()) packet.reason = static_cast<int>(byte_at(body, 0));
      break;
    default:
      break;
  }
  return packet;
}

}  // namespace chat::test
