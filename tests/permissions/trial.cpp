#include "tests/permissions/trial.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "plugin/core/access.h"
#include "tests/support/chat_client.h"
#include "tests/support/wait.h"

namespace chat::test::permissions {
namespace {

// Tries between two looks at what came. Each may be told to a dozen subscriptions of two devices: see
// everybody_listens.
constexpr std::size_t kBatch = 20;
constexpr std::size_t kTopicMax = 65535;  // bytes
constexpr std::size_t kKept = 1000;       // bytes of a topic or payload
constexpr int kRefusing = 0x80;           // reason codes from here on are refusals

void replace_all(std::string* text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += by.size())
    text->replace(at, what.size(), by);
}

std::string capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// A direct conversation's name with its users in the order that it never has.
std::string wrong_way_round(const std::string& one, const std::string& other) {
  return "dm:" + std::max(one, other) + ":" + std::min(one, other);
}

// Whether the broker ends the connection of who publishes there.
bool ends_the_connection(const Place& place) {
  return place.kind == Kind::kMalformed || place.topic.find_first_of("+#") != std::string_view::npos;
}

// The topic in a refusal. Not parsed: there are thousands, of up to 65 kB, and none of our topics holds a quote.
std::string refused_topic(const std::string& payload) {
  constexpr std::string_view kBefore = R"("topic":")";
  const auto from = payload.find(kBefore) + kBefore.size();
  return payload.substr(from, payload.rfind(R"(","id":)") - from);
}

// Subscription identifiers start at 1.
int subscription_id(std::size_t place, Operation operation) {
  return static_cast<int>(2 * place + (operation == Operation::kSubscribe ? 1 : 2));
}

}  // namespace

std::string topic_of(const World& world, const Player& player, const Place& place) {
  std::string topic(place.topic);
  replace_all(&topic, "{self}", player.user);
  replace_all(&topic, "{SELF}", capitals(player.user));
  replace_all(&topic, "{device}", player.device);
  replace_all(&topic, "{group}", world.group);
  replace_all(&topic, "{GROUP}", capitals(world.group));
  replace_all(&topic, "{witness}", world.witness);
  replace_all(&topic, "{elsewhere}", world.elsewhere);
  replace_all(&topic, "{direct}", direct_conversation(player.user, world.witness));
  replace_all(&topic, "{tcerid}", wrong_way_round(player.user, world.witness));
  replace_all(&topic, "{others}", direct_conversation(world.other, world.witness));
  replace_all(&topic, "{srehto}", wrong_way_round(world.other, world.witness));
  if (topic == "{slashes}") topic = "chat/c/" + world.group + "/msg" + std::string(1000, '/');
  constexpr std::string_view kLong = "{long}";
  if (topic.find(kLong) != std::string::npos) {
    replace_all(&topic, kLong, std::string(kTopicMax - (topic.size() - kLong.size()), 'l'));
  }
  return topic;
}

std::string token(char how, Actor actor, std::size_t place) {
  return "[" + std::string(1, how) + ":" + std::string(name(actor)) + ":" + std::to_string(place) + "]";
}

Trial::Trial(const World& world, Player player) : world_(world), player_(std::move(player)) {
  line_ = std::make_unique<RawMqtt>(world_.port, RawOptions{.client_id = player_.device, .protocol = 5});
  ++connections_;
  if (line_->connect(hello(player_.device)) != 0)
    throw std::runtime_error("the broker refused the connection of " + std::string(name(player_.actor)));
}

ConnectPart Trial::hello(std::string client_id, int protocol, std::optional<WillPart> will) const {
  return {.protocol = protocol,
          .client_id = std::move(client_id),
          .user = player_.actor == Actor::kAnonymous ? "" : player_.user,
          .will = std::move(will)};
}

Trial::Lines Trial::connect_all(const std::vector<ConnectPart>& hellos, const std::string& behind) {
  connections_ += hellos.size();
  Lines lines;
  for (const auto& part : hellos) {
    lines.push_back(
        std::make_unique<RawMqtt>(world_.port, RawOptions{.client_id = part.client_id, .protocol = part.protocol}));
    lines.back()->send_bytes(connect_packet(part) + behind);
  }
  return lines;
}

std::optional<bool> Trial::granted(std::size_t place, Operation operation) const {
  const auto found = granted_.find({place, operation});
  return found == granted_.end() ? std::nullopt : std::optional(found->second);
}

void Trial::listen() {
  auto packets = line_->drain();
  if (line_->closed())
    throw std::runtime_error("the broker closed the connection of " + std::string(name(player_.actor)));
  for (auto& packet : packets) {
    if (packet.type == PacketType::kPublish && packet.topic == "chat/u/" + player_.user + "/error") {
      refused_.insert(refused_topic(packet.payload));
    }
    // Of what is long only the beginning is looked at again.
    packet.bytes = {};
    for (auto* text : {&packet.topic, &packet.payload}) {
      if (text->size() > kKept) *text = text->substr(0, kKept);
    }
    heard_.push_back(std::move(packet));
  }
}

void Trial::subscribe() {
  const auto table = places();
  for (const auto operation : {Operation::kSubscribe, Operation::kShare}) {
    std::vector<std::size_t> alone_places;
    std::vector<std::string> alone_packets;
    for (std::size_t i = 0; i < table.size(); ++i) {
      auto filter = topic_of(world_, player_, table[i]);
      if (operation == Operation::kShare) {
        filter = std::string("$share/").append(player_.device).append("/").append(filter);
        filter.resize(std::min(filter.size(), kTopicMax));
      }
      if (table[i].kind == Kind::kMalformed) {
        alone_places.push_back(i);
        alone_packets.push_back(subscribe_packet(5, 1, {{.filter = filter}}));
        continue;
      }
      line_->send_bytes(subscribe_packet(
          5, static_cast<std::uint16_t>(subscription_id(i, operation)), {{.filter = filter}},
          Properties().variable(property::kSubscriptionId, static_cast<std::size_t>(subscription_id(i, operation)))));
      if (i % kBatch == 0) world_.everybody_listens();
    }
    world_.everybody_listens();
    const auto grants = alone(PacketType::kSuback, alone_packets);
    for (std::size_t i = 0; i < grants.size(); ++i) note(alone_places[i], operation, grants[i]);
    for (const auto& packet : heard_) {
      if (packet.type != PacketType::kSuback) continue;
      for (std::size_t i = 0; i < table.size(); ++i) {
        if (packet.id == subscription_id(i, operation)) note(i, operation, packet.reason < kRefusing);
      }
    }
  }
}

std::string Trial::payload_of(std::size_t place, char how) const {
  const auto said = token(how, player_.actor, place);
  // The witness' messages at the start of the group: two for each actor, so that no command meets another's work.
  const auto seq = 1 + 2 * static_cast<std::size_t>(player_.actor) + (how == 'p' ? 0 : 1);
  std::string payload(places()[place].payload);
  replace_all(&payload, "{token}", said);
  replace_all(
      &payload, "{id}",
      "id-" + std::string(1, how) + std::to_string(static_cast<int>(player_.actor)) + "-" + std::to_string(place));
  replace_all(&payload, "{seq}", std::to_string(seq));
  return payload;
}

std::vector<bool> Trial::alone(PacketType answer, const std::vector<std::string>& packets) {
  std::vector<bool> granted;
  for (std::size_t at = 0; at < packets.size(); at += kBatch) {
    Lines lines;
    const auto end = std::min(packets.size(), at + kBatch);
    for (auto i = at; i < end; ++i) {
      auto one = connect_all({hello(player_.device + "-alone-" + std::to_string(i))},
                             packets[i] + packet(PacketType::kPingreq, 0, {}));
      lines.push_back(std::move(one.front()));
    }
    for (const auto& line : lines) {
      const auto answers = line->until_pong();
      granted.push_back(std::any_of(answers.begin(), answers.end(), [&](const Packet& packet) {
        return packet.type == answer && packet.reason < kRefusing;
      }));
    }
  }
  return granted;
}

std::vector<bool> Trial::publish_everywhere(bool retain) {
  const auto table = places();
  const char how = retain ? 'r' : 'p';
  const auto from = heard_.size();
  refused_.clear();
  std::vector<bool> passed(table.size(), false);
  std::vector<std::size_t> alone_places;
  std::vector<std::string> alone_packets;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto bytes = publish_packet(5, topic_of(world_, player_, table[i]), payload_of(i, how),
                                      {.qos = 1, .id = static_cast<std::uint16_t>(i + 1), .retain = retain});
    if (ends_the_connection(table[i])) {
      alone_places.push_back(i);
      alone_packets.push_back(bytes);
    } else {
      line_->send_bytes(bytes);
    }
    if (i % kBatch == 0) world_.everybody_listens();
  }
  world_.everybody_listens();
  const auto grants = alone(PacketType::kPuback, alone_packets);
  for (std::size_t i = 0; i < grants.size(); ++i) passed[alone_places[i]] = grants[i];
  for (auto packet = heard_.begin() + static_cast<std::ptrdiff_t>(from); packet != heard_.end(); ++packet) {
    if (packet->type == PacketType::kPuback) passed.at(packet->id - 1U) = packet->reason < kRefusing;
  }
  // An acknowledgement is not the last word: what waits for a conversation, and commands, are refused on the error
  // topic. Such refusals are waited for where the table wants one.
  world_.settle();
  const auto ours = [&](std::size_t i) { return passed[i] && table[i].kind == Kind::kOurs; };
  const auto all_said = [&] {
    world_.everybody_listens();
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (!ours(i) || table[i].who(Operation::kPublish).has(player_.actor)) continue;
      if (!refused_.contains(topic_of(world_, player_, table[i]))) return false;
    }
    return true;
  };
  try {
    eventually("the refusals", all_said);
  } catch (const TimedOut&) {
    // So it was granted, and is found to be.
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (ours(i)) passed[i] = !refused_.contains(topic_of(world_, player_, table[i]));
  }
  return passed;
}

void Trial::publish() {
  const auto passed = publish_everywhere(false);
  for (std::size_t i = 0; i < passed.size(); ++i) note(i, Operation::kPublish, passed[i]);
}

void Trial::retain() {
  publish_everywhere(true);
}

void Trial::die() {
  const auto table = places();
  const auto will = [&](std::size_t place, bool taken_over) {
    return WillPart{.topic = topic_of(world_, player_, table[place]),
                    .payload = payload_of(place, taken_over ? 't' : 'w'),
                    .qos = static_cast<int>(place % 2),
                    .retain = taken_over};
  };
  // Each batch is closed, or taken over by the next one.
  Lines before;
  for (const bool taken_over : {false, true}) {
    for (std::size_t at = 0; at < table.size(); at += kBatch) {
      std::vector<ConnectPart> hellos;
      for (auto i = at; i < std::min(table.size(), at + kBatch); ++i) {
        hellos.push_back(hello(player_.device + (taken_over ? "-t" : "-w" + std::to_string(i)),
                               taken_over ? 5 : 4 + static_cast<int>(i % 2), will(i, taken_over)));
      }
      auto lines = connect_all(hellos, {});
      for (const auto& line : lines) line->receive();  // CONNACK, or the end
      before = taken_over ? std::move(lines) : Lines();
      world_.everybody_listens();
    }
  }
  for (const auto& line : connect_all({hello(player_.device + "-t")}, {})) line->receive();
}

bool Trial::received(std::size_t place, Operation operation) const {
  const auto& row = places()[place];
  const bool shared = operation == Operation::kReceiveShared;
  const int id = subscription_id(place, shared ? Operation::kShare : Operation::kSubscribe);
  const auto filter = topic_of(world_, player_, row);
  return std::any_of(heard_.begin(), heard_.end(), [&](const Packet& packet) {
    if (packet.type != PacketType::kPublish) return false;
    if (row.kind == Kind::kOurs && !packet.topic.starts_with("chat/")) return false;
    const auto& ids = packet.subscription_ids;
    if (!ids.empty()) return std::find(ids.begin(), ids.end(), id) != ids.end();
    // What the plugin addresses to one client comes through no subscription of the broker's.
    return !shared && granted(place, Operation::kSubscribe).value_or(false) &&
           packet.topic.starts_with("chat/u/" + player_.user + "/") && filter_matches(filter, packet.topic);
  });
}

}  // namespace chat::test::permissions
