// Contacts and blocks on the whole system: what a request of the one changes, the broker holds against the other.
#include <gtest/gtest.h>

#include "tests/support/requesting.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

using nlohmann::json;

template <typename Stack>
class ContactSuite : public StackSuite<Stack> {
 protected:
  void SetUp() override {
    const auto users = this->stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = direct_conversation(alice_, bob_);
  }

  static std::string act(ChatClient& client, const std::string& action, const std::string& other) {
    const auto answer = request(client, "contact." + action, {{"user", other}});
    return answer.value("ok", false) ? answer.at("state") : answer.at("code");
  }
  static json event(ChatClient& client, const std::string& kind, const std::string& by) {
    return client.mqtt()
        .expect(kind + " by " + by,
                [&](const Message& message) {
                  return message.topic == client.own("event") && field(message, "kind") == kind &&
                         field(message, "user") == by;
                })
        .json;
  }
  // Publishes without waiting, and without minding a reason code; answers the id.
  static std::string write(ChatClient& client, const std::string& to) {
    auto id = client.new_id();
    client.mqtt().publish_async(direct_topic(to), text(id, "x").dump(), nullptr);
    return id;
  }
  // The code of the refusal, or "sent".
  static std::string outcome(ChatClient& client, const std::string& id) {
    std::string code;
    eventually("what became of " + id, [&] {
      if (client.has_sent(id)) code = "sent";
      for (const auto& error : client.errors()) {
        if (error.value("id", json()) == id) code = error.at("code");
      }
      return !code.empty();
    });
    return code;
  }

  std::string alice_, bob_, conv_;
};

struct PlainStack {
  static StackOptions options() { return {}; }
};
using Contacts = ContactSuite<PlainStack>;

TEST_F(Contacts, CrossingRequestsAreAcceptedAndEachIsToldToTheOther) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  EXPECT_EQ(act(*alice, "request", bob_), "pending_out");
  EXPECT_GT(event(*bob, "contact.requested", alice_).at("server_time").get<std::int64_t>(), 0);
  EXPECT_EQ(act(*bob, "request", alice_), "accepted");
  event(*alice, "contact.accepted", bob_);
  EXPECT_EQ(request(*alice, "contact.list", json::object())["contacts"][0]["state"], "accepted");
  EXPECT_EQ(act(*alice, "remove", bob_), "none");
  event(*bob, "contact.removed", alice_);
}

TEST_F(Contacts, ABlockHoldsInBothDirectionsAndLeavesTheHistory) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  alice->message_with_id(bob->send_direct(alice_, "hello"));
  EXPECT_EQ(act(*alice, "block", bob_), "blocked");
  eventually("the broker knows of the block", [&] { return outcome(*bob, write(*bob, alice_)) == "blocked"; });
  EXPECT_EQ(outcome(*alice, write(*alice, bob_)), "blocked");
  bob->mqtt().publish_async("chat/c/" + conv_ + "/typing", R"({"on":true})", nullptr);
  eventually("typing is refused", [&] {
    for (const auto& error : bob->errors()) {
      if (error.at("topic") == "chat/c/" + conv_ + "/typing") return error.at("code") == "blocked";
    }
    return false;
  });
  EXPECT_EQ(request(*bob, "contact.request", {{"user", alice_}})["code"], "blocked");
  EXPECT_EQ(request(*bob, "conversation.create", {{"members", {alice_}}})["code"], "blocked");
  EXPECT_GE(request(*bob, "history", {{"conv", conv_}})["messages"].size(), 1U);
  bob->mqtt().publish("chat/c/" + conv_ + "/read", json{{"seq", 1}});
  auto looking = database();
  eventually("bob's reading is stored", [&] { return stored_read(looking, conv_, bob_) == 1; });

  EXPECT_EQ(act(*alice, "unblock", bob_), "none");
  eventually("the broker knows that it is over", [&] { return outcome(*bob, write(*bob, alice_)) == "sent"; });
}

TEST_F(Contacts, ABlockedUsersFirstMessageCreatesNothing) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  EXPECT_EQ(act(*alice, "block", bob_), "blocked");
  EXPECT_EQ(outcome(*bob, write(*bob, alice_)), "blocked");
  EXPECT_EQ(outcome(*alice, write(*alice, bob_)), "blocked");
  auto looking = database();
  EXPECT_EQ(looking.number("SELECT count(*) FROM conversations WHERE name = " + looking.quote(conv_)), 0);
  EXPECT_EQ(act(*alice, "unblock", bob_), "none");
  eventually("bob may write", [&] { return outcome(*bob, write(*bob, alice_)) == "sent"; });
}

// Goal: a block that comes between messages divides them: some were there before it, and behind the first that is
// refused none is taken. Method: bob publishes without a pause while alice blocks him. Then each message has its
// outcome, in order, and alice and PostgreSQL have just the first ones.
TEST_F(Contacts, ABlockHoldsAtOnceAgainstMessagesInFlight) {
  const auto alice = device(alice_, {.acknowledge_every = 10});
  const auto bob = device(bob_);
  std::vector<std::string> ids{bob->send_direct(alice_, "the first")};
  alice->message_with_id(ids.front());
  for (int i = 0; i < 100; ++i) ids.push_back(write(*bob, alice_));
  alice->mqtt().publish_async("chat/rpc/contact.block", json{{"id", alice->new_id()}, {"user", bob_}}.dump(), nullptr);
  eventually("bob is refused", [&] {
    for (int i = 0; i < 20; ++i) ids.push_back(write(*bob, alice_));
    outcome(*bob, ids.back());  // what is under way stays bounded
    return !bob->errors().empty();
  });
  for (int i = 0; i < 50; ++i) ids.push_back(write(*bob, alice_));
  std::size_t sent = 0;
  bool refused = false;
  for (const auto& id : ids) {
    const auto became = outcome(*bob, id);
    ASSERT_TRUE(became == "sent" || became == "blocked") << became;
    EXPECT_FALSE(refused && became == "sent") << "one passed behind one that was refused";
    refused = refused || became == "blocked";
    sent += became == "sent" ? 1U : 0U;
  }
  EXPECT_TRUE(refused);
  EXPECT_GT(sent, 0U);
  std::cout << sent << " of " << ids.size() << " were there before the block\n";
  auto looking = database();
  EXPECT_EQ(stored_count(looking, conv_), static_cast<std::int64_t>(sent));
  alice->expect_through(conv_, static_cast<std::int64_t>(sent));
  EXPECT_EQ(alice->seqs(conv_).size(), sent);
}

struct StrictStack {
  static StackOptions options() { return {.plugin = {{"require_contact", "true"}}}; }
};
using RequiredContacts = ContactSuite<StrictStack>;

TEST_F(RequiredContacts, RequireContactLetsOnlyContactsWrite) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  const auto first = write(*bob, alice_);
  EXPECT_EQ(outcome(*bob, first), "not_allowed");
  EXPECT_NE(bob->error_for(first).at("reason").get<std::string>().find(alice_), std::string::npos);
  auto looking = database();
  EXPECT_EQ(looking.number("SELECT count(*) FROM conversations WHERE name = " + looking.quote(conv_)), 0);
  EXPECT_EQ(act(*bob, "request", alice_), "pending_out");
  EXPECT_EQ(outcome(*bob, write(*bob, alice_)), "not_allowed");
  EXPECT_EQ(act(*alice, "accept", bob_), "accepted");
  eventually("contacts write", [&] { return outcome(*bob, write(*bob, alice_)) == "sent"; });
  alice->message(conv_, 1);
  EXPECT_EQ(act(*alice, "remove", bob_), "none");
  eventually("no longer", [&] { return outcome(*bob, write(*bob, alice_)) == "not_allowed"; });
  EXPECT_EQ(outcome(*alice, write(*alice, bob_)), "not_allowed");
}

}  // namespace
}  // namespace chat::test
