#include "tests/support/raw_mqtt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace chat::test {
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
  send_bytes(connect_packet({.protocol = options_.protocol,
                             .client_id = options_.client_id,
                             .user = options_.user,
                             .password = options_.password,
                             .clean_start = options_.clean_start,
                             .keepalive_s = options_.keepalive_s}));
  return expect(PacketType::kConnack).reason;
}

int RawMqtt::connect(const ConnectPart& part) {
  send_bytes(connect_packet(part));
  const auto answer = receive();
  return answer && answer->type == PacketType::kConnack ? answer->reason : -1;
}

void RawMqtt::publish(std::string_view topic, std::string_view payload, const Publish& how) {
  send_bytes(publish_packet(options_.protocol, topic, payload,
                            {.qos = how.qos, .id = how.id, .dup = how.dup, .retain = how.retain}));
}

void RawMqtt::subscribe(std::string_view filter, int qos, std::uint16_t id) {
  send_bytes(subscribe_packet(options_.protocol, id, {{.filter = std::string(filter), .options = qos}}));
}

void RawMqtt::answer(PacketType type, std::uint16_t id) {
  send_bytes(answer_packet(type, id));
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
  while (ahead_.size() < count && !closed_) {
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) throw TimedOut(options_.client_id + " waited in vain for a packet");
    std::array<char, 4096> more{};
    const auto got = recv(socket_, more.data(), more.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      closed_ = true;
    } else {
      ahead_.append(more.data(), static_cast<std::size_t>(got));
    }
  }
  auto bytes = ahead_.substr(0, count);
  ahead_.erase(0, bytes.size());
  return bytes;
}

std::optional<Packet> RawMqtt::receive() {
  const auto first = read_bytes(1);
  if (first.empty()) return std::nullopt;
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto digit = read_bytes(1);
    if (digit.empty()) return std::nullopt;
    length |= (static_cast<std::size_t>(digit[0]) & 127) << shift;
    if ((static_cast<unsigned>(digit[0]) & 128) == 0) break;
  }
  const auto body = read_bytes(length);
  if (body.size() != length) return std::nullopt;
  return parse_packet(options_.protocol, static_cast<unsigned char>(first[0]), body);
}

std::vector<Packet> RawMqtt::drain() {
  ping();
  return until_pong();
}

std::vector<Packet> RawMqtt::until_pong() {
  std::vector<Packet> packets;
  while (auto packet = receive()) {
    if (packet->type == PacketType::kPingresp) break;
    packets.push_back(std::move(*packet));
  }
  return packets;
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
