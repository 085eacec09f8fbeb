// What a broker says, word for word: clients speak a script by hand, and every byte that comes back is written down, so
// that two brokers can be compared.
//
// Each step ends only when the broker has worked it off (PINGREQ, PINGRESP, the speaker first, then everybody), so the
// same script makes the same transcript, however slow the machine.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/raw_mqtt.h"

namespace chat::test {

class Transcript {
 public:
  // What is published below `left_out` is not written down.
  explicit Transcript(int port, std::string left_out = {}) : port_(port), left_out_(std::move(left_out)) {}

  // Connects; `name` is the client id too, where `part` has none, unless it is to be `without_id`. Who is connected by
  // that name already is listened to until the broker has closed the old connection.
  void open(const std::string& name, ConnectPart part = {}, bool without_id = false);
  // Who is not connected (any more) says nothing, and that is written down.
  void send(const std::string& name, const std::string& bytes);
  // Ways to go. Returns at once: what follows of it is awaited.
  void bid_farewell(const std::string& name, int reason = 0);  // DISCONNECT
  void vanish(const std::string& name);                        // RST
  // Reads on until a PUBLISH with that payload, or (empty) until the broker closes the connection.
  void await(const std::string& name, const std::string& payload);
  // Reads what has come to everybody.
  void settle();

  // Shorthands. `protocol` is that of open().
  void subscribe(const std::string& name, const std::vector<FilterPart>& filters, const Properties& properties = {});
  void unsubscribe(const std::string& name, const std::vector<std::string>& filters);
  void publish(const std::string& name, const std::string& topic, const std::string& payload,
               const PublishPart& part = {.qos = 1, .id = 7});
  void answer(const std::string& name, PacketType type, std::uint16_t id);

  const std::vector<std::string>& lines() const { return lines_; }
  std::size_t exchanges() const { return sent_ + received_; }  // packets

 private:
  struct Speaker {
    std::unique_ptr<RawMqtt> line;
    int protocol = 5;
  };
  int protocol_of(const std::string& name) const;
  void settle(const std::string& name);
  void write(const std::string& name, const Packet& packet);
  void note_closed(const std::string& name);

  const int port_;
  const std::string left_out_;
  std::map<std::string, Speaker> speakers_;
  std::vector<std::string> lines_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
};

}  // namespace chat::test
