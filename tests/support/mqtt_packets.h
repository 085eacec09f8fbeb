// MQTT packets as bytes, 3.1.1 and 5, sane and odd ones: what is written here is sent as it stands, also where no
// client library would. Knows nothing of sockets; see raw_mqtt.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat::test {

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
};

// The identifiers of MQTT 5's properties that tests use.
namespace property {
inline constexpr int kPayloadFormat = 1;
inline constexpr int kMessageExpiry = 2;
inline constexpr int kContentType = 3;
inline constexpr int kResponseTopic = 8;
inline constexpr int kCorrelationData = 9;
inline constexpr int kSubscriptionId = 11;
inline constexpr int kSessionExpiry = 17;
inline constexpr int kAssignedClientId = 18;
inline constexpr int kWillDelay = 24;
inline constexpr int kReceiveMaximum = 33;
inline constexpr int kTopicAliasMaximum = 34;
inline constexpr int kTopicAlias = 35;
inline constexpr int kUserProperty = 38;
inline constexpr int kMaximumPacketSize = 39;
}  // namespace property

std::string two_bytes(std::size_t number);
std::string four_bytes(std::size_t number);
std::string variable_bytes(std::size_t number);  // MQTT's variable byte integer
std::string with_length(std::string_view text);  // two bytes of length, then the text
std::string packet(PacketType type, unsigned flags, std::string_view body);

// A property list, without its length.
class Properties {
 public:
  Properties& byte(int id, std::size_t value);
  Properties& two(int id, std::size_t value);
  Properties& four(int id, std::size_t value);
  Properties& variable(int id, std::size_t value);
  Properties& text(int id, std::string_view value);
  Properties& pair(std::string_view name, std::string_view value);  // a user property
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// `protocol` 4 is MQTT 3.1.1, which has no properties; 5 is MQTT 5.
struct WillPart {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
  Properties properties{};
};

struct ConnectPart {
  int protocol = 5;
  std::string client_id{};
  std::string user{};  // empty: neither user nor password
  std::string password = "demo";
  bool clean_start = true;
  std::uint16_t keepalive_s = 600;
  std::optional<WillPart> will{};
  Properties properties{};
};
std::string connect_packet(const ConnectPart& part);

struct PublishPart {
  int qos = 1;
  std::uint16_t id = 1;  // with QoS 0 it is not sent
  bool dup = false;
  bool retain = false;
  Properties properties{};
};
std::string publish_packet(int protocol, std::string_view topic, std::string_view payload, const PublishPart& part);

struct FilterPart {
  std::string filter;
  int options = 0;  // the QoS; in MQTT 5 also 4: no local, 8: retain as published, 16 and 32: retain handling
};
std::string subscribe_packet(int protocol, std::uint16_t id, const std::vector<FilterPart>& filters,
                             const Properties& properties = {});
std::string unsubscribe_packet(int protocol, std::uint16_t id, const std::vector<std::string>& filters);
std::string answer_packet(PacketType type, std::uint16_t id);  // PUBACK, PUBREC, PUBREL, PUBCOMP

// What came, taken apart as far as tests look at it.
struct Packet {
  PacketType type = PacketType::kConnect;
  std::uint8_t flags = 0;               // the low four bits of the first byte
  std::uint16_t id = 0;                 // of PUBLISH with QoS above 0, PUBACK … and SUBACK
  int reason = 0;                       // of CONNACK, SUBACK (the first), PUBACK … and DISCONNECT; 0 where absent
  std::string topic{};                  // of PUBLISH
  std::string payload{};                // of PUBLISH
  std::vector<int> subscription_ids{};  // of PUBLISH, MQTT 5
  std::string bytes{};                  // all of it
};

// `body`: what follows the remaining length. Throws std::out_of_range where it is shorter than it says.
Packet parse_packet(int protocol, unsigned first_byte, std::string_view body);

}  // namespace chat::test
