#include "tests/support/packet_fuzzer.h"

#include <algorithm>
#include <array>
#include <exception>

#include "tests/support/raw_mqtt.h"

namespace chat::test {
namespace {

constexpr std::size_t kLieMax = 1U << 20;  // bytes that a packet may wrongly say to have
constexpr std::size_t kHuge = 300'000;     // bytes of the largest sane payload

}  // namespace

PacketFuzzer::PacketFuzzer(const FuzzTargets& targets, std::mt19937_64 random) : targets_(targets), random_(random) {}

std::string PacketFuzzer::random_bytes(std::size_t most) {
  std::string bytes(below(most + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(random_());
  return bytes;
}

std::string PacketFuzzer::connect(int protocol) {
  ConnectPart part{.protocol = protocol, .client_id = "fuzz-" + std::to_string(below(8)), .user = any(targets_.users)};
  part.clean_start = !one_in(4);
  if (one_in(10)) part.client_id = random_bytes(300);
  if (one_in(20)) part.user = random_bytes(80);
  if (one_in(3)) {
    part.will = WillPart{
        .topic = any(targets_.topics), .payload = payload(), .qos = static_cast<int>(below(3)), .retain = one_in(2)};
    if (one_in(2)) part.will->properties.four(property::kWillDelay, below(2));
    if (one_in(4)) part.will->properties.pair(random_bytes(10), "x");
  }
  if (one_in(3)) part.properties.four(property::kSessionExpiry, below(100));
  if (one_in(4)) part.properties.two(property::kReceiveMaximum, below(4));
  if (one_in(4)) part.properties.four(property::kMaximumPacketSize, below(500));
  if (one_in(4)) part.properties.two(property::kTopicAliasMaximum, below(20));
  if (one_in(10)) part.properties.pair("seq", "1");
  return connect_packet(part);
}

std::string PacketFuzzer::payload() {
  static constexpr auto kShapes = std::to_array<const char*>({R"({"seq":1})",
                                                              R"({"seq":-1})",
                                                              R"({"seq":99999999999999999999})",
                                                              R"({"on":true})",
                                                              R"({"seq":1,"emoji":"x","on":true})",
                                                              R"({"seq":1,"body":"edited"})",
                                                              R"({"id":"same","body":"x"})",
                                                              R"({"id":"same","body":"y"})",
                                                              R"({"body":)",
                                                              R"({"body":"\ud800"})",
                                                              R"({"body":"x","seq":1})",
                                                              R"({"body":"x","\u0073eq":1})",
                                                              "{}",
                                                              "[]",
                                                              "null",
                                                              "",
                                                              "{\"body\":\"\xC3\x28\"}",
                                                              "\xEF\xBB\xBF{\"body\":1}",
                                                              R"({"delivered":{"g:x":{"seq":1}},"read":{"dm:a:b":2}})",
                                                              R"({"id":"r","conv":"g:x"})",
                                                              R"({"body":"x","ttl":0,"mentions":[1]})",
                                                              R"({"body":"x","reply_to":18446744073709551615})"});
  switch (below(8)) {
    case 0:
      return random_bytes(200);
    case 1: {
      std::string deep(below(5000), '[');
      return R"({"body":)" + deep + std::string(deep.size(), ']') + "}";
    }
    case 2:
      if (one_in(4)) return R"({"body":")" + std::string(below(kHuge), 'h') + R"("})";
      [[fallthrough]];
    case 3:
      return R"({"id":"f)" + std::to_string(random_()) + R"(","body":"a sane one"})";
    default:
      return any(kShapes);
  }
}

std::string PacketFuzzer::publish(int protocol) {
  PublishPart part{.qos = static_cast<int>(below(one_in(30) ? 4 : 3)),
                   .id = static_cast<std::uint16_t>(below(30)),
                   .dup = one_in(4),
                   .retain = one_in(4)};
  std::string topic = one_in(10) ? random_bytes(60) : any(targets_.topics);
  if (one_in(6)) part.properties.two(property::kTopicAlias, below(14));
  if (one_in(12)) topic.clear();  // of an alias that may be there
  if (one_in(6)) part.properties.four(property::kMessageExpiry, below(3));
  if (one_in(6)) part.properties.text(property::kResponseTopic, any(targets_.filters));
  if (one_in(6)) part.properties.text(property::kCorrelationData, random_bytes(40));
  if (one_in(6)) part.properties.pair("server_time", random_bytes(10));
  if (one_in(12)) part.properties.byte(property::kPayloadFormat, below(3));
  if (one_in(12)) part.properties.variable(property::kSubscriptionId, below(1000));
  return publish_packet(protocol, topic, payload(), part);
}

std::string PacketFuzzer::subscribe(int protocol) {
  std::vector<FilterPart> filters;
  for (std::size_t i = below(6); i <= 5; ++i) {
    std::string filter = any(targets_.filters);
    if (one_in(8)) filter.insert(0, "$share/" + random_bytes(5) + "/");
    if (one_in(8)) filter += random_bytes(12);
    filters.push_back({.filter = filter, .options = static_cast<int>(below(one_in(4) ? 256 : 3))});
  }
  Properties properties;
  if (one_in(3)) properties.variable(property::kSubscriptionId, below(300'000'000));
  return subscribe_packet(protocol, static_cast<std::uint16_t>(below(100)), filters, properties);
}

std::string PacketFuzzer::some_packet(int protocol) {
  switch (below(12)) {
    case 0:
    case 1:
      return subscribe(protocol);
    case 2:
      return unsubscribe_packet(protocol, static_cast<std::uint16_t>(below(100)), {any(targets_.filters)});
    case 3:
      return answer_packet(
          any(std::array{PacketType::kPuback, PacketType::kPubrec, PacketType::kPubrel, PacketType::kPubcomp}),
          static_cast<std::uint16_t>(below(30)));
    case 4:
      return one_in(5) ? packet(PacketType::kDisconnect, 0, random_bytes(4)) : packet(PacketType::kPingreq, 0, {});
    case 5:
      if (one_in(4))
        return packet(static_cast<PacketType>(below(16)), static_cast<unsigned>(below(16)), random_bytes(100));
      if (one_in(8)) return connect(protocol);  // a second one
      [[fallthrough]];
    default:
      return publish(protocol);
  }
}

std::string PacketFuzzer::mutated(std::string bytes) {
  ++count_.mutated;
  for (std::size_t times = 1 + below(3); times > 0 && !bytes.empty(); --times) {
    const auto at = below(bytes.size());
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random_());
        break;
      case 1:
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << below(8)));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, random_bytes(20));
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, below(50)));
        break;
      default:  // another length than it has
        bytes = bytes.substr(0, 1) + variable_bytes(one_in(4) ? below(kLieMax) : below(bytes.size() * 2)) +
                bytes.substr(std::min<std::size_t>(2, bytes.size()));
        break;
    }
  }
  return bytes;
}

void PacketFuzzer::one_connection() {
  ++count_.connections;
  const int protocol = one_in(2) ? 5 : 4;
  try {
    RawMqtt line(targets_.port, {.client_id = "fuzz", .protocol = protocol});
    const auto hello = connect(protocol);
    ++count_.packets;
    if (one_in(8)) {
      line.send_bytes(mutated(hello));
    } else {
      line.send_bytes(hello);
      const auto answer = line.receive();
      if (!answer || answer->type != PacketType::kConnack || answer->reason != 0) {
        ++count_.cut;
        return;
      }
      ++count_.welcomed;
    }
    for (std::size_t left = below(41); left > 0; --left) {
      const auto bytes = some_packet(protocol);
      ++count_.packets;
      line.send_bytes(one_in(5) ? mutated(bytes) : bytes);
    }
    if (one_in(2)) line.reset();
  } catch (const std::exception&) {
    ++count_.cut;  // the broker had enough of it
  }
}

}  // namespace chat::test
