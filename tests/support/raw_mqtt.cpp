#include "tests/support/raw_mqtt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace chat::test {
namespace {

std::string two_bytes(std::size_t number) {
  return {static_cast<char>(number >> 8 & 0xFF), static_cast<char>(number & 0xFF)};
}

std::string with_length(std::string_view text) {
  return two_bytes(text.size()).append(text);
}

std::string packet(PacketType type, unsigned flags, std::string_view body) {
  std::string bytes(1, static_cast<char>(static_cast<unsigned>(type) << 4 | flags));
  std::size_t length = body.size();
  do {
    const auto digit = length % 128;
    length /= 128;
    bytes.push_back(static_cast<char>(digit | (length > 0 ? 128U : 0U)));
  } while (length > 0);
  return bytes.append(body);
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes.at(at));
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// Where the properties that start at `at` end.
std::size_t behind_properties(std::string_view body, std::size_t at) {
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto digit = byte_at(body, at++);
    length |= static_cast<std::size_t>(digit & 127) << shift;
    if ((digit & 128) == 0) return at + length;
  }
}

}  // namespace

RawMqtt::RawMqtt(int port, RawOptions options) : options_(std::move(options)) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (options_.receive_buffer > 0) {
    // Before connect(): the window that the broker is offered follows from it.
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options_.receive_buffer, sizeof options_.receive_buffer);
  }
  const int at_once = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(socket_);
    throw std::runtime_error("no connection to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
}

RawMqtt::~RawMqtt() {
  close_quietly();
}

int RawMqtt::connect() {
  std::string body = with_length("MQTT");
  body.push_back(static_cast<char>(options_.protocol));
  const unsigned flags = (options_.user.empty() ? 0U : 0xC0U) | (options_.clean_start ? 2U : 0U);
  body.push_back(static_cast<char>(flags));
  body += two_bytes(options_.keepalive_s);
  if (options_.protocol == 5) body.push_back(0);  // no properties
  body += with_length(options_.client_id);
  if (!options_.user.empty()) body += with_length(options_.user) + with_length(options_.password);
  send_bytes(packet(PacketType::kConnect, 0, body));
  return expect(PacketType::kConnack).reason;
}

void RawMqtt::publish(std::string_view topic, std::string_view payload, const Publish& how) {
  std::string body = with_length(topic);
  if (how.qos > 0) body += two_bytes(how.id);
  if (options_.protocol == 5) body.push_back(0);
  body.append(payload);
  const unsigned flags = (how.dup ? 8U : 0U) | static_cast<unsigned>(how.qos) << 1 | (how.retain ? 1U : 0U);
  send_bytes(packet(PacketType::kPublish, flags, body));
}

void RawMqtt::subscribe(std::string_view filter, int qos, std::uint16_t id) {
  std::string body = two_bytes(id);
  if (options_.protocol == 5) body.push_back(0);
  body += with_length(filter);
  body.push_back(static_cast<char>(qos));
  send_bytes(packet(PacketType::kSubscribe, 2, body));
}

void RawMqtt::answer(PacketType type, std::uint16_t id) {
  send_bytes(packet(type, type == PacketType::kPubrel ? 2 : 0, two_bytes(id)));
}

void RawMqtt::ping() {
  send_bytes(packet(PacketType::kPingreq, 0, {}));
}

void RawMqtt::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string RawMqtt::read_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) throw TimedOut(options_.client_id + " waited in vain for a packet");
    const auto more = recv(socket_, bytes.data() + got, count - got, 0);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

std::optional<Packet> RawMqtt::receive() {
  const auto first = read_bytes(1);
  if (first.empty()) return std::nullopt;
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto digit = read_bytes(1);
    if (digit.empty()) return std::nullopt;
    length |= static_cast<std::size_t>(byte_at(digit, 0) & 127) << shift;
    if ((byte_at(digit, 0) & 128) == 0) break;
  }
  const auto body = read_bytes(length);
  if (body.size() != length) return std::nullopt;

  const bool five = options_.protocol == 5;
  Packet packet;
  packet.type = static_cast<PacketType>(byte_at(first, 0) >> 4);
  packet.flags = byte_at(first, 0) & 15;
  switch (packet.type) {
    case PacketType::kConnack:
      packet.reason = static_cast<int>(byte_at(body, 1));
      break;
    case PacketType::kPublish: {
      const std::size_t topic_size = number_at(body, 0);
      packet.topic = body.substr(2, topic_size);
      std::size_t at = 2 + topic_size;
      if ((packet.flags & 6) != 0) {
        packet.id = number_at(body, at);
        at += 2;
      }
      if (five) at = behind_properties(body, at);
      packet.payload = body.substr(at);
      break;
    }
    case PacketType::kSuback: {
      packet.id = number_at(body, 0);
      packet.reason = static_cast<int>(byte_at(body, five ? behind_properties(body, 2) : 2));
      break;
    }
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      packet.id = number_at(body, 0);
      if (body.size() > 2) packet.reason = static_cast<int>(byte_at(body, 2));
      break;
    case PacketType::kDisconnect:
      if (!body.empty()) packet.reason = static_cast<int>(byte_at(body, 0));
      break;
    default:
      break;
  }
  return packet;
}

Packet RawMqtt::expect(PacketType type, const std::function<bool(const Packet&)>& wanted) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto packet = receive();
    if (!packet) {
      throw std::runtime_error("the broker closed the connection of " + options_.client_id + " before packet type " +
                               std::to_string(static_cast<int>(type)));
    }
    if (packet->type == type && (!wanted || wanted(*packet))) return *packet;
    if (std::chrono::steady_clock::now() > deadline) {
      throw TimedOut(options_.client_id + " waited in vain for packet type " + std::to_string(static_cast<int>(type)));
    }
  }
}

void RawMqtt::close_quietly() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

void RawMqtt::reset() {
  if (socket_ < 0) return;
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close_quietly();
}

}  // namespace chat::test
