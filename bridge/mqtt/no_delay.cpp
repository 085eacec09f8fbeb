#include "bridge/mqtt/no_delay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

namespace chat {
namespace {

// The port of the other end; 0 where `number` is no connected TCP socket.
int peer_port(int number) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(number, static_cast<sockaddr*>(static_cast<void*>(&address)), &size) != 0) return 0;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return ntohs(v4.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return ntohs(v6.sin6_port);
  }
  return 0;
}

}  // namespace

int set_no_delay(int port) {
  int count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    const int on = 1;
    if (peer_port(number) == port && setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) ++count;
  }
  return count;
}

}  // namespace chat
