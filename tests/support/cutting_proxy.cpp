#include "tests/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace chat::test {
namespace {

constexpr int kPollMs = 20;  // how often a waiting thread looks whether the proxy ends or thaws

sockaddr_un address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the socket's path is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

sockaddr_in address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <typename Address>
int new_socket(const Address& where) {
  const int fd = ::socket(reinterpret_cast<const sockaddr*>(&where)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("can't make a socket");
  return fd;
}

template <typename Address>
int listen_at(const Address& here, const std::string& name) {
  const int fd = new_socket(here);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || ::listen(fd, 128) != 0) {
    throw std::runtime_error("can't listen on " + name);
  }
  return fd;
}

template <typename Address>
int connected_to(const Address& there) {
  const int fd = new_socket(there);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0) return fd;
  ::close(fd);
  return -1;
}

bool send_all(int to, const char* data, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, kPollMs) > 0;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& server, const std::string& folder)
    : reach_([there = address(server)] { return connected_to(there); }), folder_(folder) {
  std::filesystem::create_directories(folder_);
  const auto path = folder_ + "/.s.PGSQL.5432";
  ::unlink(path.c_str());
  listener_ = listen_at(address(path), path);
  threads_.emplace_back([this] { accept_clients(); });
}

CuttingProxy::CuttingProxy(int server_port, int port)
    : reach_([there = address(server_port)] { return connected_to(there); }) {
  listener_ = listen_at(address(port), "port " + std::to_string(port));
  threads_.emplace_back([this] { accept_clients(); });
}

CuttingProxy::~CuttingProxy() {
  ending_ = true;
  thaw();
  threads_.front().join();  // no more are added behind it
  for (std::size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
  ::close(listener_);
}

std::string CuttingProxy::commit_message() {
  return {
      "Q\0\0\0\x0b"
      "COMMIT\0",
      12};
}

void CuttingProxy::arm(std::string bytes, Action action) {
  const std::lock_guard lock(mutex_);
  armed_ = std::move(bytes);
  action_ = action;
}

void CuttingProxy::disarm() {
  const std::lock_guard lock(mutex_);
  armed_.clear();
}

void CuttingProxy::cut_all() {
  ++cuts_;
}

void CuttingProxy::thaw() {
  const std::lock_guard lock(mutex_);
  frozen_ = false;
  thawed_.notify_all();
}

void CuttingProxy::accept_clients() {
  while (!ending_) {
    if (!readable(listener_)) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) threads_.emplace_back([this, client] { serve(client); });
  }
}

// Hands on what is there, and answers whether the connection goes on.
bool CuttingProxy::forward(int from, int to, bool from_client, bool* cut_on_answer) {
  std::array<char, 1 << 16> data;
  const auto got = ::recv(from, data.data(), data.size(), 0);
  if (got <= 0) return false;
  const auto size = static_cast<std::size_t>(got);
  if (const int delay = delay_ms_; delay > 0) ::poll(nullptr, 0, delay);
  if (!from_client) return !*cut_on_answer && send_all(to, data.data(), size);
  std::unique_lock lock(mutex_);
  if (armed_.empty() || std::string_view(data.data(), size).find(armed_) == std::string_view::npos) {
    return send_all(to, data.data(), size);
  }
  armed_.clear();
  ++fired_;
  if (action_ == Action::kCutBefore) return false;
  if (action_ == Action::kFreeze) {
    frozen_ = true;
    thawed_.wait(lock, [this] { return !frozen_; });
  }
  *cut_on_answer = action_ == Action::kCutAfter;
  return send_all(to, data.data(), size);
}

void CuttingProxy::serve(int client) {
  ++connections_;
  const int cuts = cuts_;
  const int server = reach_();
  bool open = server >= 0;
  bool cut_on_answer = false;
  while (open && !ending_ && cuts == cuts_) {
    std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), kPollMs) <= 0) continue;
    if (ends[0].revents != 0) open = forward(client, server, true, &cut_on_answer);
    if (open && ends[1].revents != 0) open = forward(server, client, false, &cut_on_answer);
  }
  ::close(client);
  if (server >= 0) ::close(server);
}

}  // namespace chat::test
