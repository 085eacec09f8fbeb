// Orders: what the bridge has the plugin do in a user's name.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = PublishVerdict::Kind;

class Orders : public HubRig {
 protected:
  void SetUp() override { bridge_ = connect("chat-bridge", "bridge"); }
  PublishVerdict forward(const std::string& user, const std::string& to, const std::string& id = "fwd-1") {
    const json message{
        {"id", id}, {"forwarded", {{"conv", "g:elsewhere"}, {"seq", 7}, {"from", "dave"}}}, {"body", "the cake"}};
    return publish(bridge_, "chat/u/" + user + "/order/forward", json{{"to", to}, {"message", message}}.dump());
  }
  Phone bridge_;
};

TEST_F(Orders, AForwardedMessageIsAMessageOfTheOneWhoForwardedIt) {
  const auto conv = group("alice", {"bob"});
  const auto bob = online("bob", "b1");
  forget();
  EXPECT_EQ(forward("alice", conv).kind, Kind::kUntouched);  // neither is in memory: it waits for both
  settle();
  EXPECT_EQ(forward("alice", conv, "fwd-2").kind, Kind::kUntouched);  // now both are
  settle();
  ASSERT_EQ(received(bob).size(), 2U);
  const auto got = json::parse(received(bob)[1].payload);
  EXPECT_EQ(got.at("from"), "alice");
  EXPECT_EQ(got.at("seq"), 2);
  EXPECT_EQ(got.at("forwarded").at("from"), "dave");
  EXPECT_EQ(store.messages(conv).size(), 2U);
  int native = 0;
  for (const auto& one : broker.published) native += one.topic == "chat/c/" + conv + "/msg" ? 1 : 0;
  EXPECT_EQ(native, 2) << "subscribers of the conversation's own topic get it too";
}

TEST_F(Orders, GivenTwiceIsForwardedOnce) {
  const auto conv = group("alice", {"bob"});
  const auto bob = online("bob", "b1");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(forward("alice", conv).kind, Kind::kUntouched);
    settle();
  }
  restart();
  bridge_ = connect("chat-bridge", "bridge");
  forward("alice", conv);
  settle();
  EXPECT_EQ(store.messages(conv).size(), 1U);
}

TEST_F(Orders, WhatTheUserMayNotDoIsToldToTheUserAndNotTriedAgain) {
  const auto conv = group("bob", {"carol"});
  EXPECT_EQ(forward("alice", conv).kind, Kind::kUntouched);
  settle();
  EXPECT_EQ(forward("alice", "g:none", "fwd-2").kind, Kind::kUntouched);
  settle();
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("code"), "not_member");
  EXPECT_EQ(errors[0].at("id"), "fwd-1");
  EXPECT_EQ(errors[0].at("topic"), "chat/rpc/message.forward");
  EXPECT_EQ(errors[1].at("code"), "not_found");
  EXPECT_EQ(errors[1].at("id"), "fwd-2");
  EXPECT_TRUE(store.messages(conv).empty());
}

TEST_F(Orders, WhatTheJournalHasNoRoomForIsTriedAgainByTheBridge) {
  const auto conv = group("alice", {"bob"});
  online("alice", "a1");
  forward("alice", conv);
  settle();
  forget();
  journal.answer(AppendResult::kFull);
  EXPECT_EQ(forward("alice", conv, "fwd-2").kind, Kind::kRefuse);
  EXPECT_TRUE(error_codes("alice").empty());
  journal.answer(AppendResult::kOk);
  EXPECT_EQ(forward("alice", conv, "fwd-2").kind, Kind::kUntouched);
  settle();
  EXPECT_EQ(store.messages(conv).size(), 2U);
}

TEST_F(Orders, OnlyTheBridgeGivesThemAndNobodyReadsThem) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  for (const std::string user : {"alice", "bob"}) {
    EXPECT_FALSE(hub->may_write(alice.ref(), "chat/u/" + user + "/order/forward") == Access::kGranted);
    EXPECT_EQ(publish(alice, "chat/u/" + user + "/order/kick", R"({"device":"a1"})").kind, Kind::kRefuse);
  }
  EXPECT_EQ(hub->may_read(alice.ref(), "chat/u/alice/order/forward", "{}"), Access::kRefused);
  EXPECT_EQ(hub->may_read(bridge_.ref(), "chat/u/alice/order/kick", "{}"), Access::kRefused);
}

TEST_F(Orders, NoClientSaysItselfThatAMessageWasForwarded) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  for (const char* payload : {R"({"body":1,"forwarded":{}})", R"({"body":1,"\u0066orwarded":null})"}) {
    EXPECT_EQ(publish(alice, "chat/c/" + conv + "/msg", payload).kind, Kind::kRefuse);
  }
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"reserved_field", "reserved_field"}));
}

TEST_F(Orders, ADeviceIsKickedAtTheNextTickAndOnlyByItsOwnUser) {
  online("alice", "a1");
  online("bob", "b1");
  const auto kick = [&](const std::string& user, const std::string& device) {
    EXPECT_EQ(publish(bridge_, "chat/u/" + user + "/order/kick", json{{"device", device}}.dump()).kind,
              Kind::kUntouched);
  };
  kick("alice", "b1");
  kick("alice", "a2");
  kick("alice", "a1");
  EXPECT_TRUE(broker.kicked.empty()) << "not from within a callback";
  hub->tick();
  EXPECT_EQ(broker.kicked, std::vector<std::string>{"a1"});
  hub->tick();
  EXPECT_EQ(broker.kicked.size(), 1U);
}

// Whatever bytes the bridge gives: the broker goes on.
TEST_F(Orders, AnOrderThatIsNoneDoesNothing) {
  online("alice", "a1");
  forget();
  for (const char* payload : {"", "{", "[]", "{}", R"({"to":5,"message":5})", R"({"to":"g:x","message":{}})"}) {
    EXPECT_EQ(publish(bridge_, "chat/u/alice/order/forward", payload).kind, Kind::kUntouched) << payload;
    EXPECT_EQ(publish(bridge_, "chat/u/alice/order/kick", payload).kind, Kind::kUntouched) << payload;
  }
  EXPECT_EQ(publish(bridge_, "chat/u/no user/order/forward", "{}").kind, Kind::kUntouched);
  settle();
  hub->tick();
  EXPECT_TRUE(broker.kicked.empty());
}

}  // namespace
}  // namespace chat::test
