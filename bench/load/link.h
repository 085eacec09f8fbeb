// One client's connection: connects and subscribes waiting, and is read and written without waiting from then on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/mqtt.h"

namespace chat::load {

struct Login {
  int port = 0;  // on 127.0.0.1
  std::string client;
  std::string user;
  std::string password;
};

class Link {
 public:
  // Returns when the broker has accepted the client; throws std::runtime_error where it did not.
  explicit Link(const Login& login);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Waits for the SUBACK. Messages may follow at once: they are found by the first read().
  void subscribe(std::string_view filter);
  // From here on nothing waits.
  void go_live();

  int descriptor() const { return descriptor_; }

  // Bytes to be sent by the next flush().
  std::string& out() { return out_; }
  // Sends what the socket takes. True: all of it.
  bool flush();

  // Takes what has come and calls `on_packet(const Packet&)` for each whole packet. Throws if the broker closed the
  // connection.
  template <typename OnPacket>
  void read(OnPacket on_packet) {
    receive();
    Packet packet;
    std::size_t from = 0;
    while (const auto length = read_packet(received().substr(from), &packet)) {
      on_packet(packet);
      from += length;
    }
    drop(from);
  }

 private:
  void receive();
  void drop(std::size_t bytes);
  std::string_view received() const { return {in_.data(), held_}; }
  std::uint8_t await(PacketType type);

  std::string name_;
  int descriptor_ = -1;
  bool waiting_ = true;
  std::vector<char> in_;
  std::size_t held_ = 0;  // of in_
  std::string out_;
  std::size_t sent_ = 0;  // of out_
};

}  // namespace chat::load
