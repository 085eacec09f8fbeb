// Odd MQTT: packets from a generator, sane, odd, mutated or random, and connections that send them. Every byte follows
// from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace chat::test {

struct FuzzTargets {
  int port = 0;
  std::vector<std::string> users;    // who the connections may be; password "demo"
  std::vector<std::string> topics;   // what is published to
  std::vector<std::string> filters;  // what is subscribed to
};

struct FuzzCount {
  std::size_t connections = 0;
  std::size_t packets = 0;
  std::size_t mutated = 0;   // of the packets
  std::size_t welcomed = 0;  // of the connections: CONNACK said yes
  std::size_t cut = 0;       // of the connections: the broker ended them
};

// One thread's worth. Not thread-safe.
class PacketFuzzer {
 public:
  PacketFuzzer(const FuzzTargets& targets, std::mt19937_64 random);

  // Opens a connection, sends up to 40 packets, reads what it feels like, and ends it one way or another.
  void one_connection();
  const FuzzCount& count() const { return count_; }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <typename Items>
  const auto& any(const Items& items) {
    return items[below(items.size())];
  }
  std::string connect(int protocol);
  std::string some_packet(int protocol);
  std::string publish(int protocol);
  std::string subscribe(int protocol);
  std::string payload();
  std::string random_bytes(std::size_t most);
  std::string mutated(std::string bytes);

  const FuzzTargets targets_;
  std::mt19937_64 random_;
  FuzzCount count_;
};

}  // namespace chat::test
