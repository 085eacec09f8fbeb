#include "bench/load/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace chat::load {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;
constexpr int kPatienceS = 30;  // for an answer while waiting

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Link::Link(const Login& login) : name_(login.client + " of " + login.user) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) fail("socket");
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{.tv_sec = kPatienceS, .tv_usec = 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(login.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect to 127.0.0.1:" + std::to_string(login.port));
  }
  append_connect(login.client, login.user, login.password, &out_);
  const auto code = await(PacketType::kConnack);
  if (code != 0) throw std::runtime_error(name_ + " was refused by the broker, CONNACK " + std::to_string(code));
}

Link::~Link() {
  if (descriptor_ < 0) return;
  append_disconnect(&out_);
  try {
    flush();
  } catch (const std::exception&) {  // the broker is gone: so is the connection
  }
  close(descriptor_);
}

void Link::subscribe(std::string_view filter) {
  append_subscribe(1, filter, 1, &out_);
  const auto code = await(PacketType::kSuback);
  if (code > 2) throw std::runtime_error(name_ + " may not subscribe to " + std::string(filter));
}

void Link::go_live() {
  waiting_ = false;
  fcntl(descriptor_, F_SETFL, O_NONBLOCK);
}

bool Link::flush() {
  while (sent_ < out_.size()) {
    const auto done =
        send(descriptor_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | (waiting_ ? 0 : MSG_DONTWAIT));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) return false;
    if (done < 0) fail("send by " + name_);
    sent_ += static_cast<std::size_t>(done);
  }
  out_.clear();
  sent_ = 0;
  return true;
}

void Link::receive() {
  if (in_.size() - held_ < kReadBytes) in_.resize(held_ + 2 * kReadBytes);
  const auto got = recv(descriptor_, in_.data() + held_, in_.size() - held_, 0);
  if (got > 0) held_ += static_cast<std::size_t>(got);
  if (got == 0) throw std::runtime_error("the broker closed the connection of " + name_);
  if (got < 0 && errno == EAGAIN && waiting_) throw std::runtime_error("the broker does not answer " + name_);
  if (got < 0 && errno != EAGAIN && errno != EINTR) fail("recv by " + name_);
}

void Link::drop(std::size_t bytes) {
  std::copy(in_.begin() + static_cast<std::ptrdiff_t>(bytes), in_.begin() + static_cast<std::ptrdiff_t>(held_),
            in_.begin());
  held_ -= bytes;
}

// Leaves what follows the packet for read().
std::uint8_t Link::await(PacketType type) {
  flush();
  while (true) {
    Packet packet;
    if (const auto length = read_packet(received(), &packet)) {
      drop(length);
      if (packet.type == type) return packet.code;
      continue;
    }
    receive();
  }
}

}  // namespace chat::load
