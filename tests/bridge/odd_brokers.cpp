#include "tests/bridge/odd_brokers.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace chat::test {
namespace {

constexpr unsigned char kConnect = 0x10;
constexpr unsigned char kSubscribe = 0x82;

struct Packet {
  unsigned char first = 0;
  std::string body;
};

bool read_exactly(const Socket& socket, char* to, std::size_t size) {
  return recv(socket.number(), to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

// nullopt at the connection's end.
std::optional<Packet> read_packet(const Socket& socket) {
  Packet packet;
  char byte = 0;
  if (!read_exactly(socket, &byte, 1)) return std::nullopt;
  packet.first = static_cast<unsigned char>(byte);
  std::size_t length = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    if (!read_exactly(socket, &byte, 1)) return std::nullopt;
    const auto bits = static_cast<unsigned char>(byte);
    length |= static_cast<std::size_t>(bits & 0x7F) << shift;
    if ((bits & 0x80) == 0) break;
  }
  packet.body.resize(length);
  if (length > 0 && !read_exactly(socket, packet.body.data(), length)) return std::nullopt;
  return packet;
}

void write_all(const Socket& socket, const std::string& bytes) {
  // What can't be written belongs to a connection that is gone: the next read says so.
  (void)!send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

Socket::~Socket() {
  if (number_ >= 0) close(number_);
}

Listener::Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_.number()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(socket_.number(), 8) != 0) {
    throw std::runtime_error("can't listen on port " + std::to_string(port_.number()) + ": " + std::strerror(errno));
  }
}

Socket Listener::accept() const {
  const int connection = ::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) throw std::runtime_error(std::string("no connection came: ") + std::strerror(errno));
  return Socket(connection);
}

void Listener::shut_down() const {
  shutdown(socket_.number(), SHUT_RDWR);
}

RefusingBroker::RefusingBroker() : thread_([this] { serve(); }) {}

RefusingBroker::~RefusingBroker() {
  listener_.shut_down();
  thread_.join();
}

// One connection at a time: a client that was refused comes back on a new one.
void RefusingBroker::serve() const {
  for (;;) {
    try {
      const Socket connection = listener_.accept();
      while (const auto packet = read_packet(connection)) {
        if ((packet->first & 0xF0) == kConnect) {
          write_all(connection, std::string("\x20\x03\x00\x00\x00", 5));
        } else if (packet->first == kSubscribe) {
          write_all(connection, std::string("\x90\x04", 2) + packet->body.substr(0, 2) + std::string("\x00\x87", 2));
        }
      }
    } catch (const std::runtime_error&) {
      return;  // shut down
    }
  }
}

}  // namespace chat::test
