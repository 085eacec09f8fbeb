#include "tests/support/transcript.h"

#include <array>
#include <cctype>
#include <exception>

namespace chat::test {
namespace {

constexpr std::size_t kShownMax = 300;  // bytes of a packet that are written out; the rest by its hash

std::string written(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, kShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (std::isprint(byte) != 0 && c != '\\') {
      text.push_back(c);
    } else {
      text.append("\\").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  if (bytes.size() > kShownMax) {
    text +=
        " … " + std::to_string(bytes.size()) + " bytes, hash " + std::to_string(std::hash<std::string_view>{}(bytes));
  }
  return text;
}

// What differs from run to run: the seconds that a message which expires after 100 still has.
std::string without_chance(std::string bytes) {
  constexpr std::string_view kHead("\x02\x00\x00\x00", 4);
  for (std::size_t at = 0; (at = bytes.find(kHead, at)) != std::string::npos; at += kHead.size()) {
    if (at + 4 >= bytes.size()) break;
    const auto left = static_cast<unsigned char>(bytes[at + 4]);
    if (left > 40 && left <= 100) bytes[at + 4] = 100;
  }
  return bytes;
}

}  // namespace

void Transcript::open(const std::string& name, ConnectPart part, bool without_id) {
  if (part.client_id.empty() && !without_id) part.client_id = name;
  auto& speaker = speakers_[name];
  const auto before = std::move(speaker.line);  // a session that is taken over is still open meanwhile
  speaker.protocol = part.protocol;
  speaker.line = std::make_unique<RawMqtt>(port_, RawOptions{.client_id = name, .protocol = part.protocol});
  lines_.push_back(name + " connects");
  speaker.line->send_bytes(connect_packet(part));
  ++sent_;
  const auto answer = speaker.line->receive();
  if (!answer) {
    note_closed(name);
    return;
  }
  ++received_;
  if (without_id) {
    // It may hold an assigned client id, which nobody knows beforehand.
    lines_.push_back(name + " < CONNACK " + std::to_string(answer->reason) + ", " +
                     std::to_string(answer->bytes.size()) + " bytes");
  } else {
    lines_.push_back(name + " < " + written(answer->bytes));
  }
  if (before && !without_id) {
    while (const auto last = before->receive()) {
      lines_.push_back(name + " (before) < " + written(last->bytes));
      ++received_;
    }
    lines_.push_back(name + " (before) is closed");
  }
  settle();
}

void Transcript::send(const std::string& name, const std::string& bytes) {
  lines_.push_back(name + " > " + written(bytes));
  const auto found = speakers_.find(name);
  if (found == speakers_.end()) {
    lines_.push_back(name + " is not connected");
    return;
  }
  ++sent_;
  found->second.line->send_bytes(bytes);
  settle(name);
  settle();
}

void Transcript::bid_farewell(const std::string& name, int reason) {
  if (!speakers_.contains(name)) {
    lines_.push_back(name + " is not connected");
    return;
  }
  auto& speaker = speakers_.at(name);
  std::string body;
  if (speaker.protocol == 5) body = std::string(1, static_cast<char>(reason)) + std::string(1, '\0');
  lines_.push_back(name + " > DISCONNECT " + std::to_string(reason));
  ++sent_;
  speaker.line->send_bytes(packet(PacketType::kDisconnect, 0, body));
  while (const auto last = speaker.line->receive()) write(name, *last);
  speakers_.erase(name);
  settle();
}

void Transcript::vanish(const std::string& name) {
  lines_.push_back(name + " vanishes");
  speakers_.at(name).line->reset();
  speakers_.erase(name);
}

void Transcript::await(const std::string& name, const std::string& payload) {
  auto& line = *speakers_.at(name).line;
  while (const auto packet = line.receive()) {
    write(name, *packet);
    if (packet->type == PacketType::kPublish && !payload.empty() && packet->payload == payload) return;
  }
  note_closed(name);
}

void Transcript::settle(const std::string& name) {
  const auto found = speakers_.find(name);
  if (found == speakers_.end()) return;
  auto& line = *found->second.line;
  try {
    for (const auto& packet : line.drain()) write(name, packet);
  } catch (const TimedOut&) {
    throw;
  } catch (const std::runtime_error&) {
    // A PINGREQ into a connection that the broker has closed. What it said before is still there to be read.
    while (const auto packet = line.receive()) write(name, *packet);
  }
  if (line.closed()) note_closed(name);
}

void Transcript::settle() {
  std::vector<std::string> names;
  for (const auto& [name, speaker] : speakers_) names.push_back(name);
  for (const auto& name : names) settle(name);
}

void Transcript::write(const std::string& name, const Packet& packet) {
  if (packet.type == PacketType::kPublish && !left_out_.empty() && packet.topic.starts_with(left_out_)) return;
  ++received_;
  lines_.push_back(name + " < " + written(without_chance(packet.bytes)));
}

void Transcript::note_closed(const std::string& name) {
  lines_.push_back(name + " is closed");
  speakers_.erase(name);
}

int Transcript::protocol_of(const std::string& name) const {
  const auto found = speakers_.find(name);
  return found == speakers_.end() ? 5 : found->second.protocol;
}

void Transcript::subscribe(const std::string& name, const std::vector<FilterPart>& filters,
                           const Properties& properties) {
  send(name, subscribe_packet(protocol_of(name), 9, filters, properties));
}

void Transcript::unsubscribe(const std::string& name, const std::vector<std::string>& filters) {
  send(name, unsubscribe_packet(protocol_of(name), 10, filters));
}

void Transcript::publish(const std::string& name, const std::string& topic, const std::string& payload,
                         const PublishPart& part) {
  send(name, publish_packet(protocol_of(name), topic, payload, part));
}

void Transcript::answer(const std::string& name, PacketType type, std::uint16_t id) {
  send(name, answer_packet(type, id));
}

}  // namespace chat::test
