// Guarantee 2, the other half: the acknowledgement on chat/u/{user}/ack is only said after PostgreSQL has committed,
// for every setting of journal_sync; and what that acknowledgement looks like.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct EachWriteStack {
  static StackOptions options() { return {.plugin = {{"journal_sync", "always"}}, .users = 20}; }
};
struct NeverSyncStack {
  static StackOptions options() { return {.plugin = {{"journal_sync", "never"}}, .users = 20}; }
};

template <typename Options>
class Guarantee2Sent : public StackSuite<Options> {};
using Syncs = ::testing::Types<EachWriteStack, NeverSyncStack>;
TYPED_TEST_SUITE(Guarantee2Sent, Syncs);

TYPED_TEST(Guarantee2Sent, SentIsSaidWhenTheRowIsThere) {
  const auto user = this->stack().new_user();
  const auto conv = this->stack().new_group(user);
  auto looking = this->database();
  const auto sender = this->device(user);
  for (int i = 0; i < 20; ++i) {
    const auto id = sender->send(conv, "x");
    const auto ack = sender->sent(id);
    const auto rows = looking.query("SELECT seq, server_time FROM messages WHERE sender = " + looking.quote(user) +
                                    " AND id = " + looking.quote(id));
    ASSERT_EQ(rows.size(), 1U) << "said before it was committed";
    EXPECT_EQ(std::stoll(rows[0][0]), ack.at("seq").template get<std::int64_t>());
    EXPECT_EQ(std::stoll(rows[0][1]), ack.at("server_time").template get<std::int64_t>());
    EXPECT_EQ(ack.at("conv"), conv);
    EXPECT_EQ(ack.at("status"), "sent");
    EXPECT_EQ(ack.size(), 5U) << ack;
  }
}

TYPED_TEST(Guarantee2Sent, SentIsNotSaidWhilePostgresIsAwayAndIsSaidWhenItIsBack) {
  const auto users = this->stack().new_users(2);
  const auto conv = this->stack().new_group(users[0], {users[1]});
  const auto sender = this->device(users[0]);
  const auto receiver = this->device(users[1]);
  sender->sent(sender->send(conv, "in memory now"));
  this->stack().stop("postgres");
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(sender->send(conv, "x"));
  receiver->message_with_id(ids.back());
  for (const auto& id : ids) EXPECT_FALSE(sender->has_sent(id)) << id;
  this->stack().start("postgres");
  std::int64_t seq = 1;
  for (const auto& id : ids) EXPECT_EQ(sender->sent(id).at("seq").template get<std::int64_t>(), ++seq);
}

TYPED_TEST(Guarantee2Sent, AcknowledgementsComeInBatchesEachMessageOnce) {
  constexpr int kMessages = 500;
  const auto user = this->stack().new_user();
  const auto conv = this->stack().new_group(user);
  const auto sender = this->device(user, {.acknowledge_every = 20});
  std::multiset<std::string> ids;
  for (int i = 0; i < kMessages; ++i) ids.insert(sender->new_id());
  for (const auto& id : ids) sender->mqtt().publish_async(message_topic(conv), text(id, "x").dump(), nullptr);
  for (const auto& id : ids) sender->sent(id);
  std::multiset<std::string> acknowledged;
  const auto packets =
      sender->mqtt().received([&](const Message& message) { return message.topic == sender->own("ack"); });
  for (const auto& packet : packets) {
    EXPECT_EQ(packet.json.size(), 1U) << packet.payload;
    for (const auto& ack : packet.json.at("acks")) acknowledged.insert(ack.at("id").template get<std::string>());
  }
  EXPECT_EQ(acknowledged, ids);
  EXPECT_LT(packets.size(), static_cast<std::size_t>(kMessages)) << "one packet for each message";
}

TYPED_TEST(Guarantee2Sent, AMessageWithoutAnIdIsAcknowledgedWithNull) {
  const auto user = this->stack().new_user();
  const auto conv = this->stack().new_group(user);
  const auto sender = this->device(user);
  sender->mqtt().publish(message_topic(conv), std::string(R"({"body":"no id"})"));
  const auto packet = sender->mqtt().expect(
      "the acknowledgement", [&](const Message& message) { return message.topic == sender->own("ack"); });
  EXPECT_EQ(packet.json.at("acks").at(0).at("id"), nullptr);
  EXPECT_EQ(packet.json.at("acks").at(0).at("seq"), 1);
}

// As a script does that calls mosquitto_pub. Mosquitto 2.1 keeps the memory of the connection before for the next one,
// and its first publish was refused as the last will of that.
TYPED_TEST(Guarantee2Sent, WhoComesForOneMessageAtATimeIsHeardEachTime) {
  constexpr int kTimes = 30;
  const auto user = this->stack().new_user();
  const auto conv = this->stack().new_group(user);
  for (int i = 1; i <= kTimes; ++i) {
    RawMqtt client(this->port(), {.client_id = user + "-script", .user = user});
    ASSERT_EQ(client.connect(), 0);
    client.publish(message_topic(conv), text("once-" + std::to_string(i), "x").dump(), {.qos = 1, .id = 1});
    client.expect(PacketType::kPuback);
    client.send_bytes(packet(PacketType::kDisconnect, 0, {}));
    EXPECT_FALSE(client.receive());  // its memory is free
  }
  auto looking = this->database();
  expect_stored(looking, conv, kTimes);
}

}  // namespace
}  // namespace chat::test
