// Floods and crowds: what exceeds a bound is refused with its code and its id, the connection stays, and everybody
// else's messages arrive. With the broker's own clock, so that only bounds are looked at and never how long something
// took.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/support/broker_version.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/requesting.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kBurst = 30;
constexpr int kDeviceBurst = 20;

// What an MQTT 5 client is told where a bound was exceeded: brokers before 2.1 have no word for it.
int quota_code(ChatClient& client) {
  return broker_version(client.mqtt()).starts_with("2.0.") ? kNotAuthorised : kQuotaExceeded;
}

// ---- rates

struct RefusingStack {
  static StackOptions options() {
    // One a second: nothing comes back while a flood of some milliseconds is under way, but what is counted below.
    return {.plugin = {{"rate_messages_per_user", "1/s burst " + std::to_string(kBurst)},
                       {"rate_messages_per_device", "1/s burst " + std::to_string(kDeviceBurst)},
                       {"rate_requests_per_device", "1/s burst 60"},
                       {"rate_bytes_per_user", "20000/s burst 100000"},
                       {"max_devices", "2"},
                       {"max_devices_action", "refuse"}}};
  }
};

class Flood : public StackSuite<RefusingStack>, public ::testing::WithParamInterface<int> {
 protected:
  // Publishes so many messages without waiting for any, and answers how many got the reason code of what exceeds.
  static int flood(ChatClient& client, const std::string& conv, int count, const std::string& prefix) {
    const int exceeds = quota_code(client);
    std::atomic<int> answered = 0;
    std::atomic<int> refusals = 0;
    for (int i = 0; i < count; ++i) {
      client.mqtt().publish_async(message_topic(conv), text(prefix + std::to_string(i), "flood").dump(), [&](int code) {
        if (code == exceeds) ++refusals;
        ++answered;
      });
    }
    eventually("an answer to each publish", [&] { return answered == count; });
    return refusals;
  }
  // The ids that the client was told of as rate_limited, one by one or together.
  static std::set<std::string> limited(const ChatClient& client) {
    std::set<std::string> ids;
    for (const auto& error : client.errors()) {
      if (error.at("code") != "rate_limited") continue;
      if (error.at("id").is_string()) ids.insert(error.at("id").get<std::string>());
      for (const auto& id : error.value("ids", json::array())) ids.insert(id.get<std::string>());
    }
    return ids;
  }
};

TEST_P(Flood, IsRefusedByIdWhileANeighboursMessagesAllArrive) {
  const auto users = stack().new_users(4);
  const auto flooded = stack().new_group(users[0], {users[1]});
  const auto quiet = stack().new_group(users[2], {users[3]});
  const auto flooder = device(users[0], {.protocol = GetParam()});
  const auto neighbour = device(users[2]);
  const auto friend_of_neighbour = device(users[3], {.acknowledge_every = 5});
  constexpr int kFlood = 1000;  // so that each is named, however quick the flood is: a crowd names 1,000
  int refusals = 0;
  std::thread other([&] { refusals = flood(*flooder, flooded, kFlood, "f-"); });
  std::vector<std::string> sent;
  for (int i = 0; i < 15; ++i) sent.push_back(neighbour->send(quiet, "in peace"));
  for (const auto& id : sent) friend_of_neighbour->message_with_id(id);
  other.join();
  EXPECT_TRUE(neighbour->errors().empty());

  // Every message is either stored or refused with its id, and nothing is both.
  const auto stored = [&] {
    return database().number("SELECT last_seq FROM conversations WHERE name = '" + flooded + "'");
  };
  eventually("a word about each message",
             [&] { return limited(*flooder).size() + static_cast<std::size_t>(stored()) == kFlood; });
  EXPECT_GE(stored(), kDeviceBurst);
  EXPECT_LT(stored(), kDeviceBurst + 100) << "one a second comes back";
  if (GetParam() == kMqtt5) {
    EXPECT_EQ(static_cast<std::size_t>(refusals), limited(*flooder).size());
  }
  EXPECT_TRUE(flooder->mqtt().connected());
  const auto error = flooder->error("rate_limited");
  EXPECT_EQ(error.at("topic"), message_topic(flooded));
  EXPECT_NE(error.at("reason").get<std::string>().find("1 messages a second and 20 at once"), std::string::npos);
}

TEST_P(Flood, WhatWasRefusedIsTakenWhenItComesAgainLater) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto flooder = device(users[0], {.protocol = GetParam()});
  flood(*flooder, conv, kDeviceBurst + 10, "f-");
  eventually("the refusals", [&] { return !limited(*flooder).empty(); });
  const auto id = *limited(*flooder).begin();
  eventually("its acceptance", [&] {
    flooder->mqtt().publish(message_topic(conv), text(id, "flood"));
    return flooder->has_sent(id);
  });
}

TEST_P(Flood, TheDevicesOfAUserShareTheUsersBound) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto phone = device(users[0], {.protocol = GetParam()});
  const auto tablet = device(users[0], {.protocol = GetParam()});
  flood(*phone, conv, kDeviceBurst, "phone-");
  eventually("the phone's messages", [&] { return phone->has_sent("phone-" + std::to_string(kDeviceBurst - 1)); });
  flood(*tablet, conv, 200, "tablet-");
  eventually("the tablet's refusals", [&] { return limited(*tablet).size() >= 100; });
  const auto ids = limited(*tablet);
  EXPECT_FALSE(ids.contains("tablet-" + std::to_string(kBurst - kDeviceBurst - 1))) << "so much was left";
  EXPECT_EQ(ids.count("phone-0"), 0U);
  EXPECT_NE(tablet->error("rate_limited").at("reason").get<std::string>().find("User \"" + users[0]),
            std::string::npos);
}

TEST_P(Flood, OfRequestsAndOfBytesIsRefusedToo) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto client = device(users[0], {.protocol = GetParam()});
  for (int i = 0; i < 200; ++i) {
    client->mqtt().publish_async("chat/rpc/ping", json{{"id", "p-" + std::to_string(i)}}.dump(), [](int) {});
  }
  const auto of_requests = client->error("rate_limited");
  EXPECT_NE(of_requests.at("reason").get<std::string>().find("requests"), std::string::npos) << of_requests;
  EXPECT_EQ(of_requests.at("topic"), "chat/rpc/ping");
  EXPECT_FALSE(limited(*client).contains("p-0"));

  const auto talker = device(users[1], {.protocol = GetParam()});
  for (int i = 0; i < 10; ++i) {
    const auto message = text("b-" + std::to_string(i), std::string(40'000, 'b')).dump();
    talker->mqtt().publish_async(message_topic(conv), message, [](int) {});
  }
  const auto of_bytes = talker->error("rate_limited");
  EXPECT_NE(of_bytes.at("reason").get<std::string>().find("bytes"), std::string::npos) << of_bytes;
  EXPECT_EQ(talker->sent("b-0").at("seq"), 1);
}

TEST_P(Flood, ConnectingAnewGivesNothingBack) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto client = device(users[0], {.protocol = GetParam()});
  flood(*client, conv, kDeviceBurst + 50, "before-");
  client->mqtt().drop();
  client->connect();
  flood(*client, conv, 40, "anew-");
  eventually("the refusals", [&] {
    const auto ids = limited(*client);
    return std::count_if(ids.begin(), ids.end(), [](const auto& id) { return id.starts_with("anew-"); }) >= 20;
  });
}

TEST_P(Flood, OfDevicesIsRefusedUntilAnotherOneIsGone) {
  const auto user = stack().new_user();
  const auto first = device(user, {.protocol = GetParam()});
  const auto second = device(user, {.protocol = GetParam()});
  ChatClient third(port(), user, {.protocol = GetParam(), .subscribe = false});
  third.connect();
  EXPECT_GE(third.mqtt().subscribe(third.own("#")), 0x80);
  const int code = third.mqtt().publish(direct_topic(user), text("m-1", "x"));
  EXPECT_EQ(code, GetParam() == kMqtt5 ? kNotAuthorised : 0);
  const auto error = first->error("not_allowed");
  EXPECT_NE(error.at("reason").get<std::string>().find("has 2 devices connected"), std::string::npos) << error;
  EXPECT_TRUE(third.mqtt().connected());
  first->mqtt().drop();
  first->connect();  // the same device, anew
  EXPECT_GE(third.mqtt().subscribe(third.own("#")), 0x80);
  first->mqtt().drop();
  eventually("room", [&] { return third.mqtt().subscribe(third.own("#")) < 0x80; });
  EXPECT_EQ(request(third, "ping").at("ok"), true);
}

INSTANTIATE_TEST_SUITE_P(Mqtt, Flood, ::testing::Values(kMqtt311, kMqtt5),
                         [](const auto& version) { return version.param == kMqtt5 ? "Mqtt5" : "Mqtt311"; });

// ---- who goes on

struct WearyStack {
  static StackOptions options() {
    return {.plugin = {{"rate_messages_per_user", "1/s burst 1"}, {"rate_refusals_per_user", "1/s burst 500"}}};
  }
};
class GoingOn : public StackSuite<WearyStack>, public ::testing::WithParamInterface<int> {
 protected:
  // A device that has at most 20 publishes of the broker unacknowledged, as many as stock brokers have of MQTT 3.1.1
  // clients, and a session that is kept or ends with the connection.
  static std::unique_ptr<RawMqtt> raw(const std::string& user, bool kept) {
    auto client = std::make_unique<RawMqtt>(
        port(), RawOptions{.client_id = user + "-raw", .user = user, .protocol = GetParam(), .clean_start = !kept});
    Properties properties;
    if (GetParam() == kMqtt5)
      properties.two(property::kReceiveMaximum, 20).four(property::kSessionExpiry, kept ? 600 : 0);
    const int code = client->connect({.protocol = GetParam(),
                                      .client_id = user + "-raw",
                                      .user = user,
                                      .clean_start = !kept,
                                      .properties = properties});
    EXPECT_EQ(code, 0);
    return client;
  }
  // How often it reads that it is disconnected, before the connection ends.
  static int heard_why(RawMqtt& client, const std::string& user) {
    int heard = 0;
    while (const auto packet = client.receive()) heard += is_why(*packet, user);
    return heard;
  }
  static bool is_why(const Packet& packet, const std::string& user) {
    return packet.type == PacketType::kPublish &&
           packet.payload.find("\\\"" + user + "-raw\\\" is disconnected") != std::string::npos;
  }
};

TEST_P(GoingOn, EndsTheDeviceBehindTheReasonAndTheOthersStay) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto flooder = device(users[0], {.protocol = GetParam()});
  const auto tablet = device(users[0], {.protocol = GetParam()});  // of the same user
  const auto neighbour = device(users[1], {.protocol = GetParam()});
  const auto go_on_until_the_end = [&](ChatClient& client) {
    eventually("the flooder's end", [&] {
      for (int i = 0; i < 50; ++i) client.mqtt().publish_async(message_topic(conv), text("f", "flood").dump(), nullptr);
      return !client.mqtt().connected();
    });
  };
  go_on_until_the_end(*flooder);
  const auto reason = "\"" + flooder->device() + "\" is disconnected";
  const auto says_why = [&](const json& error) {
    return error.at("code") == "rate_limited" &&
           error.at("reason").get<std::string>().find(reason) != std::string::npos;
  };
  for (const auto* client : {flooder.get(), tablet.get()}) {
    eventually("the reason", [&] {
      const auto errors = client->errors();
      return std::any_of(errors.begin(), errors.end(), says_why);
    });
  }
  EXPECT_TRUE(tablet->mqtt().connected());
  EXPECT_TRUE(neighbour->mqtt().connected());
  EXPECT_EQ(request(*neighbour, "ping").at("ok"), true);
  ChatClient another(port(), users[0], {.protocol = GetParam(), .subscribe = false});
  another.connect();
  go_on_until_the_end(another);
}

// A client that sends without a pause: its acknowledgements, if any, are behind all of that.
TEST_P(GoingOn, WhoAcknowledgesNothingHearsWhyInFrontOfTheEndOrBehindItsReturn) {
  for (const bool kept : {false, true}) {
    const auto users = stack().new_users(2);
    const auto& user = users[0];
    const auto conv = stack().new_group(user, {users[1]});
    auto client = raw(user, kept);
    client->subscribe("chat/u/" + user + "/#", 1, 1);
    client->expect(PacketType::kSuback);
    for (int i = 0; i < 600; ++i) client->publish(message_topic(conv), text("f", "flood").dump(), {.qos = 0});
    const int in_front = heard_why(*client, user);
    if (!kept) {
      EXPECT_EQ(in_front, 1);
      continue;
    }
    client = raw(user, kept);
    int heard = in_front;
    while (heard == 0) {
      const auto packet = client->expect(PacketType::kPublish);
      heard += is_why(packet, user);
      if (packet.id != 0) client->answer(PacketType::kPuback, packet.id);
    }
    for (const auto& packet : client->drain()) heard += is_why(packet, user);
    EXPECT_EQ(heard, 1) << in_front << " of them in front of the end";
  }
}

INSTANTIATE_TEST_SUITE_P(Mqtt, GoingOn, ::testing::Values(kMqtt311, kMqtt5),
                         [](const auto& version) { return version.param == kMqtt5 ? "Mqtt5" : "Mqtt311"; });

// ---- devices that come and go

struct KickingStack {
  static StackOptions options() { return {.plugin = {{"max_devices", "2"}, {"max_devices_action", "kick_oldest"}}}; }
};
using Bounds = StackSuite<KickingStack>;

TEST_F(Bounds, OneDeviceMoreDisconnectsTheOneThatWasThereLongestAndSaysSo) {
  for (const int protocol : {kMqtt311, kMqtt5}) {
    const auto user = stack().new_user();
    const auto oldest = device(user, {.protocol = protocol});
    const auto second = device(user, {.protocol = protocol});
    const auto third = device(user, {.protocol = protocol});
    eventually("the oldest's end", [&] { return !oldest->mqtt().connected(); });
    const auto error = oldest->error("not_allowed");
    EXPECT_NE(error.at("reason").get<std::string>().find("\"" + oldest->device() + "\" is disconnected"),
              std::string::npos)
        << error;
    EXPECT_TRUE(second->mqtt().connected());
    EXPECT_TRUE(third->mqtt().connected());
    EXPECT_EQ(request(*second, "ping").at("ok"), true);
    EXPECT_EQ(request(*third, "ping").at("ok"), true);
  }
}

TEST_F(Bounds, ADeviceThatConnectsAnewCountsOnceHoweverRudelyItLeft) {
  const auto user = stack().new_user();
  const auto phone = device(user, {.device = user + "-phone"});
  const auto tablet = device(user, {.device = user + "-tablet"});
  for (int i = 0; i < 5; ++i) {
    tablet->mqtt().drop();
    tablet->connect();
    const auto again = device(user, {.device = user + "-phone"});  // takes the phone's id over
    EXPECT_EQ(request(*again, "ping").at("ok"), true);
    phone->connect();  // ... and back
  }
  EXPECT_EQ(request(*phone, "ping").at("ok"), true);
  EXPECT_EQ(request(*tablet, "ping").at("ok"), true);
  EXPECT_TRUE(phone->errors().empty());
}

// Its session stays in the broker when it is disconnected; that is no device that is there.
TEST_F(Bounds, AResumedSessionThatWasDisconnectedCountsForNothing) {
  const auto user = stack().new_user();
  const auto oldest = device(user, {.clean_start = false, .session_expiry_s = 3600});
  const auto second = device(user);
  const auto third = device(user);
  eventually("the oldest's end", [&] { return !oldest->mqtt().connected(); });
  EXPECT_EQ(request(*second, "ping").at("ok"), true);
  EXPECT_EQ(request(*third, "ping").at("ok"), true);
  second->mqtt().disconnect();
  const auto fourth = device(user);
  EXPECT_EQ(request(*fourth, "ping").at("ok"), true);
  EXPECT_EQ(request(*third, "ping").at("ok"), true) << "two are there: nobody has to go";
  EXPECT_EQ(third->errors().size(), 1U) << "what was said when the oldest went";
}

// ---- reactions

// The 100 of the bridge's default, on one message, by three who give different ones at once.
TEST_F(Bounds, AMessageTakesNoMoreDifferentReactionsThanTheBoundWhoeverIsQuicker) {
  const auto users = stack().new_users(3);
  const auto conv = stack().new_group(users[0], {users[1], users[2]});
  const auto sender = device(users[0]);
  sender->sent(sender->send(conv, "react"));
  std::vector<std::unique_ptr<ChatClient>> clients;
  for (const auto& user : users) clients.push_back(device(user, {.acknowledge_every = 10}));
  const auto react = [&](int who) {
    for (int i = 0; i < 45; ++i) {
      const auto name = std::to_string(who) + "-" + std::to_string(i);
      clients[static_cast<std::size_t>(who)]->mqtt().publish("chat/c/" + conv + "/react",
                                                             json{{"seq", 1}, {"emoji", name}, {"id", name}});
    }
  };
  std::vector<std::thread> threads;
  for (int who = 0; who < 3; ++who) threads.emplace_back(react, who);
  for (auto& thread : threads) thread.join();
  const auto refusals = [&] {
    std::size_t count = 0;
    for (const auto& client : clients) count += client->errors().size();
    return count;
  };
  eventually("135 decisions",
             [&] { return database().number("SELECT count(*) FROM commands") == 0 && refusals() >= 35; });
  EXPECT_EQ(database().number("SELECT count(DISTINCT emoji) FROM reactions"), 100);
  EXPECT_EQ(refusals(), 35U);
  for (const auto& client : clients) {
    for (const auto& error : client->errors()) EXPECT_EQ(error.at("code"), "not_allowed") << error;
  }
}

}  // namespace
}  // namespace chat::test
