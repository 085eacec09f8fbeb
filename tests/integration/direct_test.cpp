// Direct messages: made at first use, exactly one conversation for each pair, and delivered to the inboxes of both, the
// sender's other devices included.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct DirectStack {
  static StackOptions options() { return {}; }
};

class DirectMessages : public StackSuite<DirectStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = direct_conversation(alice_, bob_);
  }
  std::string alice_, bob_, conv_;
};

TEST_F(DirectMessages, ArriveInTheInboxesOfBothOnEveryDevice) {
  const auto phone = device(alice_);
  const auto laptop = device(alice_);
  const auto bobs_phone = device(bob_);
  const auto bobs_tablet = device(bob_, {.protocol = kMqtt311});
  const auto id = phone->send_direct(bob_, "hello");
  for (auto* receiver : {phone.get(), laptop.get(), bobs_phone.get(), bobs_tablet.get()}) {
    const auto message = receiver->message_with_id(id);
    EXPECT_EQ(message.json.at("conv"), conv_);
    EXPECT_EQ(message.json.at("from"), alice_);
    EXPECT_EQ(message.json.at("seq"), 1);
    EXPECT_EQ(message.payload, phone->message_with_id(id).payload);
  }
  EXPECT_EQ(phone->sent(id).at("conv"), conv_);
  laptop->sent(id);  // every device of the sender learns it
}

TEST_F(DirectMessages, ThereIsOneConversationForBothDirections) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  // At once, before there is a conversation: both make it.
  const auto to_bob = alice->new_id();
  const auto to_alice = bob->new_id();
  alice->mqtt().publish_async(direct_topic(bob_), text(to_bob, "x").dump(), nullptr);
  bob->mqtt().publish_async(direct_topic(alice_), text(to_alice, "y").dump(), nullptr);
  const auto one = alice->sent(to_bob);
  const auto other = bob->sent(to_alice);
  EXPECT_EQ(one.at("conv"), conv_);
  EXPECT_EQ(other.at("conv"), conv_);
  EXPECT_EQ(one.at("seq").get<int>() + other.at("seq").get<int>(), 3);
  auto looking = database();
  EXPECT_EQ(looking.number("SELECT count(*) FROM conversations WHERE name = " + looking.quote(conv_)), 1);
  EXPECT_EQ(looking.number("SELECT count(*) FROM members m JOIN conversations c ON c.id = m.conv_id WHERE c.name = " +
                           looking.quote(conv_)),
            2);
}

TEST_F(DirectMessages, WaitForSomebodyWhoWasNeverHere) {
  const auto alice = device(alice_);
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(alice->send_direct(bob_, "number " + std::to_string(i)));
  alice->sent(ids.back());
  const auto bob = device(bob_);
  bob->sync("end");
  EXPECT_EQ(bob->seqs(conv_), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(DirectMessages, CanBeWrittenToAndReadFromTheirConversationsTopicToo) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  EXPECT_EQ(alice->sent(alice->send(conv_, "by its name")).at("seq"), 1);
  ASSERT_EQ(bob->mqtt().subscribe(message_topic(conv_)), 1);
  const auto id = alice->send(conv_, "natively as well");
  bob->mqtt().expect("the native copy", [&](const Message& message) {
    return message.topic == message_topic(conv_) && field(message, "id") == id;
  });
  EXPECT_EQ(bob->message_with_id(id).json.at("seq"), 2);
}

// d/{user} is where one writes, not where it is heard: the payload, stamped, must not go to a subscriber of that topic.
TEST_F(DirectMessages, ArriveNowhereElse) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  for (const auto& user : {alice_, bob_}) {
    EXPECT_EQ(bob->mqtt().subscribe(direct_topic(user)), kNotAuthorised);
  }
  bob->mqtt().subscribe("#");
  const auto id = alice->send_direct(bob_, "hello");
  const auto last = alice->send_direct(bob_, "the last");
  bob->message_with_id(last);
  const auto copies = bob->mqtt().received([&](const Message& message) { return field(message, "id") == id; });
  EXPECT_EQ(copies.size(), 1U);
  for (const auto& copy : copies) EXPECT_EQ(copy.topic, bob->own("inbox"));
}

TEST_F(DirectMessages, TwoUsersWhoSendToEachOtherSeeTheSameOrder) {
  constexpr int kEach = 200;
  const auto alice = device(alice_, {.acknowledge_every = 20});
  const auto bob = device(bob_, {.acknowledge_every = 20});
  for (int i = 0; i < kEach; ++i) {
    alice->mqtt().publish_async(direct_topic(bob_), text(alice->new_id(), "a").dump(), nullptr);
    bob->mqtt().publish_async(direct_topic(alice_), text(bob->new_id(), "b").dump(), nullptr);
  }
  alice->expect_through(conv_, 2 * kEach);
  bob->expect_through(conv_, 2 * kEach);
  const auto at_alice = alice->messages(conv_);
  const auto at_bob = bob->messages(conv_);
  ASSERT_EQ(at_alice.size(), 2U * kEach);
  ASSERT_EQ(at_bob.size(), 2U * kEach);
  for (std::size_t i = 0; i < at_alice.size(); ++i) EXPECT_EQ(at_alice[i].payload, at_bob[i].payload);
}

TEST_F(DirectMessages, TypingPassesToThoseWhoAreHereAndIsNotStored) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  bob->message_with_id(alice->send_direct(bob_, "hello"));
  alice->mqtt().publish("chat/c/" + conv_ + "/typing", std::string(R"({"on":true})"));
  const auto sign =
      bob->mqtt().expect("the sign", [&](const Message& message) { return message.topic == bob->own("typing"); });
  EXPECT_EQ(sign.json.at("user"), alice_);
  EXPECT_EQ(sign.json.at("conv"), conv_);
  EXPECT_EQ(sign.json.at("on"), true);
  EXPECT_EQ(alice->sent(alice->send_direct(bob_, "next")).at("seq"), 2);
}

}  // namespace
}  // namespace chat::test
