// Guarantee 11, by a table: every actor tries every topic and filter by every operation, against the running broker.
// What the table (table.cpp) does not grant must be refused, and what is refused must bring nobody a byte: so all
// connections stay open and are read to the end, and what reached each is judged.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/permissions/table.h"
#include "tests/permissions/trial.h"
#include "tests/support/broker_version.h"
#include "tests/support/requesting.h"
#include "tests/support/stack_suite.h"

namespace chat::test::permissions {
namespace {

struct PermissionStack {
  static StackOptions options() { return {.broker_conf = "allow_anonymous true", .users = 9}; }
};

class Guarantee11Permissions : public StackSuite<PermissionStack> {
 protected:
  // The actors, the conversations, and who they are in them.
  void set_the_scene() {
    const auto users = stack().new_users(9);
    world_.port = port();
    world_.witness = users[7];
    world_.other = users[8];
    const auto& [owner, admin, member, blocked, former, stranger, impostor] =
        std::tie(users[0], users[1], users[2], users[3], users[4], users[5], users[6]);
    players_ = {{Actor::kOwner, owner, owner + "-phone"},
                {Actor::kAdmin, admin, admin + "-phone"},
                {Actor::kMember, member, member + "-phone"},
                {Actor::kOtherDevice, member, member + "-tablet"},
                {Actor::kBlocked, blocked, blocked + "-phone"},
                {Actor::kFormer, former, former + "-phone"},
                {Actor::kStranger, stranger, stranger + "-phone"},
                {Actor::kAnonymous, "without-a-name", "without-a-name-phone"}};
    impostor_ = {Actor::kImpostor, impostor, bridge_client_id()};
    world_.group = stack().new_group(owner, {admin, member, blocked, former, world_.witness});
    const auto leader = device(owner);
    ASSERT_TRUE(request(*leader, "member.role", {{"conv", world_.group}, {"user", admin}, {"role", "admin"}})
                    .value("ok", false));
    stack().chatctl({"member", "remove", world_.group, former});
    world_.elsewhere = stack().new_group(world_.witness, {world_.other});
    world_.settle = [database = std::make_shared<Database>(stack().pg())] {
      eventually("all commands having been applied", [&] {
        return database->number("SELECT (SELECT count(*) FROM commands) + (SELECT count(*) FROM outgoing)") == 0;
      });
    };
    world_.everybody_listens = [this] { listen(); };
    for (const auto& user : users) {
      if (user == world_.witness) continue;
      const auto client = device(user);
      client->sent(client->send_direct(world_.witness, "before it all"));
    }
    witness_ = device(world_.witness, {.acknowledge_every = 5});
    for (std::size_t i = 0; i < 2 * kActors.size(); ++i) witness_->sent(witness_->send(world_.group, "to be recalled"));
    witness_->sent(witness_->send(world_.elsewhere, "elsewhere"));
    ASSERT_TRUE(request(*witness_, "contact.block", {{"user", blocked}}).value("ok", false));
    ear_ = std::make_unique<RawMqtt>(port(), RawOptions{.client_id = "ear", .user = world_.witness, .protocol = 5});
    ear_->connect();
    ear_->subscribe("#", 0, 1);
  }

  // As everybody can guess it: host and process.
  static std::string bridge_client_id() {
    std::ifstream log(stack().folder() + "/bridge.log");
    std::stringstream text;
    text << log.rdbuf();
    const auto all = text.str();
    std::smatch found;
    if (!std::regex_search(all, found, std::regex("as \"(mosquitto-chat-bridge-[^\"]+)\""))) {
      throw std::runtime_error("the bridge's log does not say its client id: " + all);
    }
    return found[1];
  }

  // All connections are read: whatever comes is kept.
  void listen() {
    for (auto& trial : trials_) trial->listen();
    for (auto& packet : ear_->drain()) ear_heard_.push_back(std::move(packet));
  }

  // The tries of one player, while all that tried before go on listening.
  void try_everything(const Player& player) {
    trials_.push_back(std::make_unique<Trial>(world_, player));
    auto& trial = *trials_.back();
    trial.subscribe();
    listen();
    trial.publish();
    listen();
    trial.retain();
    listen();
    // Before the wills, which would lie in the same place and hide it.
    for (auto& packet : retained()) stays_.push_back(std::move(packet));
    trial.die();
    // A last one, behind all others.
    const auto fence = "fence/" + player.device;
    {
      RawMqtt last(port(), {.client_id = "fence", .protocol = 5});
      last.connect({.client_id = "fence-" + player.device, .will = WillPart{.topic = fence, .payload = "x"}});
    }
    eventually("the last will", [&] {
      listen();
      return std::any_of(ear_heard_.begin(), ear_heard_.end(),
                         [&](const Packet& packet) { return packet.topic == fence; });
    });
  }

  // What each can be given happens.
  void let_things_happen() {
    witness_->send(world_.group, "[marker:group]");
    witness_->send(world_.elsewhere, "[marker:elsewhere]");
    witness_->send_direct(world_.other, "[marker:others]");
    for (const auto& trial : trials_) {
      const auto& player = trial->player();
      if (player.actor == Actor::kAnonymous || player.actor == Actor::kBlocked) continue;
      witness_->send_direct(player.user, "[marker:direct]");
    }
    witness_->mqtt().publish("chat/c/" + world_.group + "/typing", std::string(R"({"on":true})"));
    witness_->mqtt().publish("chat/nonsense", std::string("[marker:refused]"));
    witness_->error("unknown_operation");
  }

  // What is wrong with what reached that player, as sentences.
  std::vector<std::string> foreign(const Player& player, const std::vector<Packet>& packets) const {
    std::vector<std::string> wrong;
    const bool member = kMembers.has(player.actor);
    const auto direct = direct_conversation(player.user, world_.witness);
    for (const auto& packet : packets) {
      if (packet.type != PacketType::kPublish || !packet.topic.starts_with("chat/")) continue;
      const bool named = player.actor != Actor::kAnonymous;
      bool right = named && packet.topic.starts_with("chat/u/" + player.user + "/");
      if (member && packet.topic == message_topic(world_.group)) right = true;
      if (named && packet.topic == message_topic(direct)) right = true;
      if (packet.payload.find("\"body\"") != std::string::npos) {
        const auto json = nlohmann::json::parse(packet.payload, nullptr, false);
        right = right && json.is_object() && ((member && json.at("conv") == world_.group) || json.at("conv") == direct);
      }
      if (!right)
        wrong.push_back(std::string(name(player.actor)) + " got " + packet.topic.substr(0, 100) + " " +
                        packet.payload.substr(0, 200));
    }
    return wrong;
  }

  // The tokens in what reached the witness, and in what reached anybody.
  void gather_tokens() {
    const auto gather = [](const std::string& payload, std::set<std::string>* tokens) {
      for (std::size_t at = 0; (at = payload.find('[', at)) != std::string::npos; ++at) {
        const auto end = payload.find(']', at);
        if (end != std::string::npos) tokens->insert(payload.substr(at, end + 1 - at));
      }
    };
    for (const auto& packet : ear_heard_) gather(packet.payload, &heard_by_the_witness_);
    for (const auto& message : witness_->mqtt().received()) gather(message.payload, &heard_by_the_witness_);
    heard_ = heard_by_the_witness_;
    for (const auto& trial : trials_) {
      for (const auto& packet : trial->heard()) gather(packet.payload, &heard_);
    }
  }

  // What somebody who comes later finds retained.
  std::vector<Packet> retained() {
    RawMqtt late(port(), {.client_id = "late", .user = world_.witness, .protocol = 5});
    late.connect();
    std::vector<Packet> found;
    std::vector<std::string> filters{"#", message_topic(world_.group), "chat/u/" + world_.witness + "/#"};
    for (const auto& trial : trials_)
      filters.push_back(message_topic(direct_conversation(trial->player().user, world_.witness)));
    for (const auto& filter : filters) {
      late.subscribe(filter, 0, 1);
      for (auto& packet : late.drain()) {
        if (packet.type == PacketType::kPublish && (packet.flags & 1) != 0) found.push_back(std::move(packet));
      }
    }
    return found;
  }

  World world_;
  std::vector<Player> players_;
  Player impostor_;
  std::unique_ptr<ChatClient> witness_;
  std::unique_ptr<RawMqtt> ear_;
  std::vector<Packet> ear_heard_;
  std::vector<Packet> stays_;  // what was found retained
  std::vector<std::unique_ptr<Trial>> trials_;
  std::set<std::string> heard_by_the_witness_, heard_;  // tokens
};

TEST_F(Guarantee11Permissions, EveryActorMayDoWhatTheTableGrantsAndNothingElse) {
  set_the_scene();
  for (const auto& player : players_) try_everything(player);
  let_things_happen();
  listen();
  // The bridge is away while somebody else has its client id.
  stack().stop("bridge");
  try_everything(impostor_);
  let_things_happen();
  const auto table = places();
  // What must come is waited for; what must not come has come by then, for it was sent before.
  const auto all_came = [&] {
    listen();
    for (const auto& trial : trials_) {
      for (std::size_t i = 0; i < table.size(); ++i) {
        for (const auto operation : {Operation::kReceive, Operation::kReceiveShared}) {
          if (table[i].who(operation).has(trial->player().actor) && !trial->received(i, operation)) return false;
        }
      }
    }
    return true;
  };
  try {
    eventually("all that the table gives", all_came);
  } catch (const TimedOut&) {
    // What is missing is said below.
  }
  witness_->sent(witness_->send(world_.group, "the last"));
  listen();
  for (auto& packet : retained()) stays_.push_back(std::move(packet));
  gather_tokens();

  const bool is_2_0_11 = broker_version(witness_->mqtt()) == "2.0.11";
  std::size_t tried = 0;
  std::size_t granted = 0;
  std::size_t connections = 0;
  for (const auto& trial : trials_) {
    const auto& player = trial->player();
    connections += trial->connections();
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto& row = table[i];
      const auto said = [&](char how) { return token(how, player.actor, i); };
      const auto topic = topic_of(world_, player, row);
      const bool will = heard_.contains(said('w'));
      // An outside topic holds the last that was retained there: the will.
      const bool stayed =
          std::any_of(stays_.begin(), stays_.end(), [&](const Packet& packet) { return packet.topic == topic; });
      const std::map<Operation, std::optional<bool>> seen{
          {Operation::kPublish, trial->granted(i, Operation::kPublish)},
          {Operation::kWill, will},
          {Operation::kRetain, stayed},
          {Operation::kSubscribe, trial->granted(i, Operation::kSubscribe)},
          {Operation::kReceive, trial->received(i, Operation::kReceive)},
          {Operation::kShare, trial->granted(i, Operation::kShare)},
          {Operation::kReceiveShared, trial->received(i, Operation::kReceiveShared)}};
      for (const auto operation : kOperations) {
        const bool may = row.who(operation).has(player.actor) && (is_2_0_11 || !row.unnoticed_by_2_0_11);
        const auto happened = seen.at(operation);
        const auto what =
            std::string(name(player.actor)) + " × " + topic.substr(0, 100) + " × " + std::string(name(operation));
        EXPECT_TRUE(happened.has_value()) << what << " was not tried";
        EXPECT_EQ(happened.value_or(!may), may) << what;
        if (happened) ++tried;
        if (may) ++granted;
      }
      const bool may_publish = row.who(Operation::kPublish).has(player.actor);
      const bool may_will = row.who(Operation::kWill).has(player.actor);
      EXPECT_EQ(heard_.contains(said('t')), may_will)
          << name(player.actor) << "'s will by takeover on " << topic.substr(0, 100);
      for (const char how : {'p', 'r'}) {
        if (!may_publish) {
          EXPECT_FALSE(heard_.contains(said(how))) << name(player.actor) << " got through on " << topic.substr(0, 100);
        } else if (row.told || row.kind == Kind::kOutside) {
          EXPECT_TRUE(heard_by_the_witness_.contains(said(how)))
              << name(player.actor) << " was not heard on " << topic.substr(0, 100);
        }
      }
    }
    for (const auto& wrong : foreign(player, trial->heard())) ADD_FAILURE() << wrong;
  }
  // Of what was refused nothing was stored, in any conversation.
  auto stored = database();
  for (const auto& row : stored.query("SELECT payload FROM messages WHERE payload LIKE '%[_:%:%]%'")) {
    const std::regex form("\\[([a-z]):([a-z ]+):([0-9]+)\\]");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(row[0], found, form)) << row[0];
    const auto& place = table[std::stoul(found[3])];
    const auto actor =
        std::find_if(kActors.begin(), kActors.end(), [&](Actor one) { return name(one) == found[2].str(); });
    ASSERT_NE(actor, kActors.end()) << row[0];
    EXPECT_TRUE((found[1] == "p" || found[1] == "r") && place.who(Operation::kPublish).has(*actor)) << row[0];
  }
  std::cout << tried << " combinations of " << kActors.size() << " actors, " << table.size()
            << " topics and filters and " << kOperations.size() << " operations were tried over " << connections
            << " connections; " << granted << " are granted\n";
  EXPECT_EQ(tried, kActors.size() * table.size() * kOperations.size());
}

TEST_F(Guarantee11Permissions, TheBridgesNameIsNothingWithoutItsPassword) {
  for (const auto& password : {std::string("demo"), std::string("wrong"), std::string()}) {
    for (const auto& client_id : {bridge_client_id(), std::string("another")}) {
      RawMqtt line(port(), {.client_id = client_id, .protocol = 5});
      EXPECT_NE(line.connect({.protocol = 5, .client_id = client_id, .user = "chat-bridge", .password = password}), 0);
    }
  }
}

TEST(PermissionTable, IsWhatThePageShows) {
  std::ifstream file(CHAT_TEST_SOURCE_DIR "/docs/permissions.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(markdown()), std::string::npos) << "docs/permissions.md is to hold this table:\n"
                                                            << markdown();
}

}  // namespace
}  // namespace chat::test::permissions
