#include "tests/support/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

namespace chat::test {
namespace {

// Below Linux's usual range for outgoing connections (32768 up), so that no client takes a port between our look and
// its use.
constexpr int kFirst = 20000;
constexpr int kLast = 31999;

// A socket bound to an abstract name that says the port, or -1 where another test has it. It leaves no file behind.
int reserve(int port) {
  const std::string name = "mosquitto-chat-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(lock, reinterpret_cast<const sockaddr*>(&address), size) == 0) return lock;
  close(lock);
  return -1;
}

bool nobody_listens(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool free =
      bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(probe, 1) == 0;
  close(probe);
  return free;
}

}  // namespace

Port::Port() {
  std::mt19937 chance(std::random_device{}());
  for (int attempt = 0; attempt < 2000; ++attempt) {
    const int port = std::uniform_int_distribution<int>(kFirst, kLast)(chance);
    const int lock = reserve(port);
    if (lock < 0) continue;
    if (nobody_listens(port)) {
      number_ = port;
      lock_ = lock;
      return;
    }
    close(lock);
  }
  throw std::runtime_error("no free port between " + std::to_string(kFirst) + " and " + std::to_string(kLast));
}

Port::~Port() {
  if (lock_ >= 0) close(lock_);
}

}  // namespace chat::test
