// One actor's trial: its connection tries every place of the table by every operation, and keeps what the broker
// answered and every byte that came of it.
//
// Method. All subscriptions of an actor are held by one connection, each with a subscription identifier of its own, so
// that what comes is traced to the filter that brought it. What is published, and what a will says, holds a token that
// names actor, place and operation: wherever it turns up, it is known who got through where. What makes the broker end
// the connection (wildcards in a topic, broken UTF-8) is tried on connections of its own.
//
// Threads: one. Subscriptions have QoS 0: nothing needs to be acknowledged.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/permissions/table.h"
#include "tests/support/raw_mqtt.h"

namespace chat::test::permissions {

// Where it all happens.
struct World {
  int port = 0;
  std::string group, elsewhere;  // conversations
  std::string witness, other;    // users: a member of both; the witness' partner in a direct conversation
  std::string bridge_client_id;
  // Returns when every command that the broker accepted was applied or refused.
  std::function<void()> settle;
  // Has all that are connected read what came: the broker drops what a connection leaves lying beyond a thousand
  // packets.
  std::function<void()> everybody_listens;
};

struct Player {
  Actor actor = Actor::kStranger;
  std::string user;  // a placeholder name for the anonymous one
  std::string device;
};

// The topic of a place for that player.
std::string topic_of(const World& world, const Player& player, const Place& place);

// "[p:member:17]": what is said in the try of that operation; `how` is one letter, see Trial.
std::string token(char how, Actor actor, std::size_t place);

class Trial {
 public:
  // Connects. Throws where the broker refuses that.
  Trial(const World& world, Player player);

  void subscribe();  // plain and shared
  void publish();    // token 'p'
  void retain();     // publishes with the retain flag: token 'r'
  void die();  // a will for each place: by connections that break ('w') and, retained, by one that is taken over ('t')

  // Reads what has come by now.
  void listen();
  // Whether something came through the subscription that the operation (receive or receive shared) is about.
  bool received(std::size_t place, Operation operation) const;

  const Player& player() const { return player_; }
  const std::vector<Packet>& heard() const { return heard_; }
  // What the broker said to a try: granted, or not. Empty where it was not tried.
  std::optional<bool> granted(std::size_t place, Operation operation) const;
  std::size_t connections() const { return connections_; }

 private:
  using Lines = std::vector<std::unique_ptr<RawMqtt>>;
  ConnectPart hello(std::string client_id, int protocol = 5, std::optional<WillPart> will = {}) const;
  // Sends each CONNECT, and `behind` with it, on a connection of its own, and waits for nothing.
  Lines connect_all(const std::vector<ConnectPart>& hellos, const std::string& behind);
  // Sends each packet on a connection of its own; whether it was answered so, and not refused.
  std::vector<bool> alone(PacketType answer, const std::vector<std::string>& packets);
  void note(std::size_t place, Operation operation, bool granted) { granted_[{place, operation}] = granted; }
  std::vector<bool> publish_everywhere(bool retain);
  std::string payload_of(std::size_t place, char how) const;

  const World& world_;
  const Player player_;
  std::size_t connections_ = 0;
  std::unique_ptr<RawMqtt> line_;
  std::vector<Packet> heard_;
  std::set<std::string> refused_;  // topics of which a refusal was heard since the latest round of publishes began
  std::map<std::pair<std::size_t, Operation>, bool> granted_;
};

}  // namespace chat::test::permissions
