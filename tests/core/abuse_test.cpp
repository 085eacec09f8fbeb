// The core under abuse: what exceeds a rate or the number of devices is refused, with an id, and nobody else is
// touched.
#include <set>

#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class Abuse : public HubRig {
 protected:
  // The conversation of alice and bob, both online, under these options.
  void start() {
    restart();
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    send(bob_, conv_, "in memory now");
    settle();
    clock.pass(3'600'000);  // whatever that took is back
    tick(0);
    forget();
  }
  PublishVerdict message(const Phone& phone, const std::string& id) {
    return publish(phone, "chat/c/" + conv_ + "/msg", R"({"id":")" + id + R"(","body":"x"})");
  }
  int let_through(const Phone& phone, int count, const std::string& prefix = "m-") {
    int through = 0;
    for (int i = 0; i < count; ++i) through += message(phone, prefix + std::to_string(i)).kind != Kind::kRefuse;
    return through;
  }

  void expect_its_end_once_it_could_hear_why(const std::string& device) {
    tick(1);
    tick(18);
    EXPECT_TRUE(broker.kicked.empty()) << "it has the error for 19 ms";
    tick(1);
    EXPECT_EQ(broker.kicked, std::vector<std::string>{device});
    tick(1000);
    EXPECT_EQ(broker.kicked.size(), 1U);
  }
  // Whoever is to be disconnected is, by then.
  void pass_the_end() {
    tick(1);
    tick(20);
  }

  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Abuse, AFloodIsRefusedWithTheIdOfEachAndTheOthersMessagesPass) {
  options.rates.user.messages = {.per_second = 10, .burst = 20};
  start();
  EXPECT_EQ(let_through(alice_, 100), 20);
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 80U);
  EXPECT_EQ(errors[0].at("code"), "rate_limited");
  EXPECT_EQ(errors[0].at("id"), "m-20");
  EXPECT_EQ(errors[0].at("topic"), "chat/c/" + conv_ + "/msg");
  EXPECT_EQ(errors[0].size(), 4U);
  EXPECT_EQ(errors[79].at("id"), "m-99");
  EXPECT_TRUE(message(alice_, "m-100").quota) << "it may pass later";
  EXPECT_EQ(let_through(bob_, 20, "b-"), 20);
  clock.pass(1000);
  EXPECT_FALSE(publish(bob_, "chat/c/" + conv_ + "/msg", "no json").quota) << "it never will";
  EXPECT_EQ(let_through(alice_, 100, "again-"), 10);
}

// Else each would be an error to each of the user's devices, and the broker would do nothing but tell.
TEST_F(Abuse, OfACrowdOfRefusalsTheFirstAreToldOneByOneAndTheOthersTogetherWithEachId) {
  options.rates.user.messages = {.per_second = 1, .burst = 1};
  start();
  let_through(alice_, 1001);
  EXPECT_EQ(told("alice", "error").size(), 200U);
  tick(249);
  EXPECT_EQ(told("alice", "error").size(), 200U);
  tick(1);
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 201U);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < 200; ++i) ids.insert(errors[i].at("id").get<std::string>());
  for (const auto& id : errors[200].at("ids")) ids.insert(id.get<std::string>());
  EXPECT_EQ(ids.size(), 1000U) << "each refused message is named";
  EXPECT_EQ(errors[200].at("count"), 800);
  EXPECT_EQ(errors[200].at("code"), "rate_limited");
  EXPECT_EQ(errors[200].at("topic"), "chat/c/" + conv_ + "/msg");
  EXPECT_TRUE(errors[200].at("id").is_null());
  forget();
  tick(10'000);
  EXPECT_TRUE(told("alice", "error").empty()) << "nothing is told twice";
}

TEST_F(Abuse, NoRefusalOvertakesThoseThatAreToldTogether) {
  options.rates.user.messages = {.per_second = 1, .burst = 1};
  start();
  let_through(alice_, 301);
  clock.pass(100);  // by now some could be told one by one again
  message(alice_, "later");
  EXPECT_EQ(told("alice", "error").size(), 200U);
  tick(150);
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 201U);
  EXPECT_EQ(errors[200].at("count"), 101);
  EXPECT_EQ(errors[200].at("ids").back(), "later");
}

TEST_F(Abuse, TheBridgesSubscriptionsTakeNothing) {
  options.rates.user.requests = {.per_second = 1, .burst = 1};
  start();
  const auto bridge = connect("chat-bridge", "bridge");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(subscribe(bridge, "chat/rpc/#"));
}

TEST_F(Abuse, WhatIsTooLongToNameIsCounted) {
  options.rates.user.messages = {.per_second = 1, .burst = 1};
  start();
  let_through(alice_, 5000);
  tick(1000);
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 201U);
  EXPECT_EQ(errors[200].at("count"), 4799);
  EXPECT_EQ(errors[200].at("ids").size(), 1000U);
}

TEST_F(Abuse, AnIdThatIsTooLongToBeOneIsNotRepeated) {
  options.rates.user.messages = {.per_second = 1, .burst = 1};
  start();
  message(alice_, "takes all");
  for (const std::size_t size : {64U, 65U}) message(alice_, std::string(size, 'x'));
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("id"), std::string(64, 'x'));
  EXPECT_TRUE(errors[1].at("id").is_null());
}

TEST_F(Abuse, ConnectingAnewDoesNotFillTheBucket) {
  options.rates.device.messages = {.per_second = 1, .burst = 5};
  start();
  EXPECT_EQ(let_through(alice_, 10), 5);
  disconnect(alice_);
  alice_ = online("alice", "a1");
  EXPECT_EQ(let_through(alice_, 10, "anew-"), 0);
  const auto tablet = online("alice", "a2");
  EXPECT_EQ(let_through(tablet, 10, "tablet-"), 5) << "another device has its own";
}

TEST_F(Abuse, CommandsAndBadMessagesCountAsMessagesAndRetriesToo) {
  options.rates.user.messages = {.per_second = 1, .burst = 6};
  start();
  EXPECT_NE(message(alice_, "one").kind, Kind::kRefuse);
  EXPECT_NE(message(alice_, "one").kind, Kind::kRefuse);
  publish(alice_, "chat/c/" + conv_ + "/recall", R"({"seq":1})");
  publish(alice_, "chat/c/" + conv_ + "/msg", "no json");
  publish(alice_, "chat/u/bob/inbox", "{}");
  publish(alice_, "chat/nothing/here", "{}");
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"bad_json", "not_allowed", "unknown_operation"}));
  forget();
  publish(alice_, "chat/c/" + conv_ + "/react", R"({"seq":1,"emoji":"x","id":"r"})");
  publish(alice_, "chat/u/bob/inbox", "{}");
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"rate_limited", "rate_limited"}));
}

TEST_F(Abuse, RequestsSubscriptionsAndSyncShareABound) {
  options.rates.user.requests = {.per_second = 1, .burst = 3};
  start();
  EXPECT_NE(publish(alice_, "chat/sync", "{}").kind, Kind::kRefuse);
  EXPECT_TRUE(subscribe(alice_, "chat/c/" + conv_ + "/msg"));
  EXPECT_FALSE(subscribe(alice_, "chat/u/bob/inbox"));
  forget();
  EXPECT_FALSE(subscribe(alice_, "chat/u/alice/inbox"));
  EXPECT_EQ(publish(alice_, "chat/rpc/history", R"({"id":"h-1"})").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"rate_limited", "rate_limited"}));
  EXPECT_EQ(told("alice", "error")[1].at("id"), "h-1");
  EXPECT_NE(message(alice_, "m").kind, Kind::kRefuse) << "messages are another matter";
}

TEST_F(Abuse, ARefusedAcknowledgementStallsNothingForOneThatIsSentLater) {
  options.rates.device.signs = {.per_second = 1, .burst = 2};
  start();
  for (int i = 0; i < 5; ++i) send(bob_, conv_, "x");
  settle();
  ack(alice_, conv_, 2);
  ack(alice_, conv_, 3);
  EXPECT_EQ(ack(alice_, conv_, 6).kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"rate_limited"});
  clock.pass(1000);
  EXPECT_NE(ack(alice_, conv_, 6).kind, Kind::kRefuse);
}

TEST_F(Abuse, BytesOfAnyKindShareABound) {
  options.rates.user.bytes = {.per_second = 100, .burst = 1000};
  start();
  const std::string long_text(700, 'x');
  EXPECT_NE(send(alice_, conv_, long_text).kind, Kind::kRefuse);
  EXPECT_EQ(send(alice_, conv_, long_text).kind, Kind::kRefuse);
  EXPECT_EQ(publish(alice_, "chat/rpc/history", R"({"id":"h-1","conv":")" + long_text + "\"}").kind, Kind::kRefuse);
  EXPECT_NE(send(alice_, conv_, "short").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"rate_limited", "rate_limited"}));
}

// ---- who goes on

class GoingOn : public Abuse {
 protected:
  void start_with(Rate refusals) {
    options.rates.user.messages = {.per_second = 1, .burst = 1};
    options.rates.refusals = refusals;
    start();
  }
};

TEST_F(GoingOn, BeyondTheRefusalsThatOneMayHaveEndsTheDeviceOnceItCouldHearWhy) {
  start_with({.per_second = 10, .burst = 300});
  let_through(alice_, 301);
  EXPECT_EQ(told("alice", "error").size(), 200U) << "the first is taken, 300 are refused, of them 100 gathered";
  tick(1);
  tick(1);
  EXPECT_TRUE(broker.kicked.empty());
  forget();
  EXPECT_EQ(message(alice_, "too many").kind, Kind::kRefuse);
  EXPECT_EQ(message(alice_, "and on").kind, Kind::kRefuse);
  auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("count"), 101) << "what was gathered is told in front";
  EXPECT_EQ(errors[0].at("ids").back(), "too many");
  EXPECT_EQ(errors[1].at("code"), "rate_limited");
  EXPECT_EQ(errors[1].at("reason"),
            "User \"alice\" was refused more than 10 times a second and 300 times at once, and goes on: \"a1\" is "
            "disconnected.");
  EXPECT_EQ(errors[1].at("topic"), "chat/c/" + conv_ + "/msg");
  expect_its_end_once_it_could_hear_why("a1");
}

// What waits behind unacknowledged errors is lost with a session that is not kept.
TEST_F(GoingOn, IsToldAtOnceWhereTheSessionEndsWithTheConnectionAndWhenItComesBackWhereItIsKept) {
  for (const bool kept : {false, true}) {
    broker.kept_sessions = kept;
    start_with({.per_second = 10, .burst = 300});
    let_through(alice_, 302, kept ? "kept-" : "clean-");
    const auto errors = told("alice", "error");
    ASSERT_EQ(errors.size(), 202U);
    EXPECT_EQ(errors[200].at("count"), 101) << "what was gathered";
    EXPECT_NE(errors[201].at("reason").get<std::string>().find("\"a1\" is disconnected."), std::string::npos);
    const auto last = broker.published.end();
    EXPECT_EQ(last[-3].qos, 1) << "one by one, as ever";
    EXPECT_EQ(last[-2].qos, kept ? 1 : 0);
    EXPECT_EQ(last[-1].qos, kept ? 1 : 0);
  }
}

TEST_F(GoingOn, IsMeasuredInAllConnectionsOfAUserTogetherAndForgivenWithTime) {
  start_with({.per_second = 10, .burst = 20});
  let_through(alice_, 30);
  pass_the_end();
  disconnect(alice_);
  const auto another = online("alice", "a2");
  EXPECT_EQ(let_through(another, 2, "at-once-"), 0);  // one was forgiven meanwhile
  pass_the_end();
  EXPECT_EQ(broker.kicked, (std::vector<std::string>{"a1", "a2"})) << "another client id is no way out";
  disconnect(another);
  clock.pass(1000);
  alice_ = online("alice", "a1");
  EXPECT_EQ(let_through(alice_, 11, "later-"), 1);
  pass_the_end();
  EXPECT_EQ(broker.kicked.size(), 2U) << "ten more may be refused by now";
  let_through(bob_, 11, "b-");
  pass_the_end();
  EXPECT_EQ(broker.kicked.size(), 2U) << "nobody else's count";
}

// Else who connects over and over would have their other devices flooded with errors.
TEST_F(GoingOn, ComingBackAtOnceIsNotAnsweredEachTime) {
  start_with({.per_second = 1, .burst = 210});
  let_through(alice_, 220);
  tick(1);
  forget();
  for (int i = 0; i < 50; ++i) {
    disconnect(alice_);
    alice_ = online("alice", "a1");
    message(alice_, "back-" + std::to_string(i));
    tick(1);
    tick(1);
  }
  EXPECT_EQ(broker.kicked.size(), 50U);
  EXPECT_TRUE(told("alice", "error").empty()) << "as long as what was said is fresh";
  tick(250);
  const auto errors = told("alice", "error");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].at("ids").back(), "back-49");
  EXPECT_NE(errors[0].at("reason").get<std::string>().find("\"a1\" is disconnected."), std::string::npos) << errors[0];
  forget();
  disconnect(alice_);
  alice_ = online("alice", "a1");
  message(alice_, "later");
  EXPECT_EQ(told("alice", "error").size(), 2U) << "the refusal, and why it is disconnected";
}

TEST_F(GoingOn, OfSubscriptionsCountsToo) {
  start_with({.per_second = 1, .burst = 5});
  options.rates.user.requests = {.per_second = 1, .burst = 1};
  start();
  for (int i = 0; i < 7; ++i) subscribe(alice_, "chat/c/" + conv_ + "/msg");
  pass_the_end();
  EXPECT_EQ(broker.kicked, std::vector<std::string>{"a1"});
}

TEST_F(GoingOn, EndsNobodyWhoHasGoneOrWhoseClientIdIsSomebodyElsesByThen) {
  start_with({.per_second = 1, .burst = 5});
  let_through(alice_, 10);
  disconnect(alice_);
  alice_ = online("alice", "a1");
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty()) << "another connection than the one that went on";
  message(alice_, "again");
  disconnect(alice_);
  subscribe(alice_, "chat/u/alice/#");
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty()) << "another connection that has the old one's place in the broker's memory";
  message(alice_, "and again");
  subscribe(connect("alice", "a1"), "chat/u/alice/#");  // takes the id over, and its end is not told
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty());
}

TEST_F(GoingOn, WithoutABoundEndsNobody) {
  start_with({});
  let_through(alice_, 20'000);
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty());
}

// ---- devices

class Devices : public Abuse {
 protected:
  void start_with(std::size_t most, TooManyDevices action) {
    options.max_devices = most;
    options.too_many_devices = action;
    start();
  }
};

TEST_F(Devices, OneMoreEndsTheOldestOnceItCouldHearWhy) {
  start_with(2, TooManyDevices::kKickOldest);
  const auto second = online("alice", "a2");
  const auto third = connect("alice", "a3");
  EXPECT_TRUE(subscribe(third, "chat/u/alice/#"));
  ASSERT_EQ(told("alice", "error").size(), 1U);
  EXPECT_EQ(told("alice", "error")[0].at("code"), "not_allowed");
  EXPECT_EQ(told("alice", "error")[0].at("reason"),
            "User \"alice\" may have 2 devices connected: with \"a3\" there, \"a1\" is disconnected.");
  expect_its_end_once_it_could_hear_why("a1");
}

TEST_F(Devices, WhoIsEndedIsToldAtOnceWhereTheSessionEndsWithTheConnectionAndWhenItComesBackWhereItIsKept) {
  for (const bool kept : {false, true}) {
    broker.kept_sessions = kept;
    start_with(1, TooManyDevices::kKickOldest);
    subscribe(connect("alice", "a2"), "chat/u/alice/#");
    const auto error = std::find_if(broker.published.begin(), broker.published.end(),
                                    [](const auto& one) { return one.topic == "chat/u/alice/error"; });
    ASSERT_NE(error, broker.published.end());
    EXPECT_EQ(error->qos, kept ? 1 : 0);
  }
}

TEST_F(Devices, SeveralAtOnceEndAsMany) {
  start_with(2, TooManyDevices::kKickOldest);
  for (const auto* device : {"a2", "a3", "a4", "a5"}) subscribe(connect("alice", device), "chat/u/alice/#");
  pass_the_end();
  EXPECT_EQ(broker.kicked, (std::vector<std::string>{"a1", "a2", "a3"}));
  EXPECT_EQ(error_codes("alice").size(), 3U);
  EXPECT_TRUE(error_codes("bob").empty());
}

TEST_F(Devices, TheSameDeviceConnectedAnewCountsOnceAndIsTheNewestThen) {
  start_with(2, TooManyDevices::kKickOldest);
  online("alice", "a2");
  for (int i = 0; i < 10; ++i) alice_ = online("alice", "a1");  // takes its own id over, without a disconnection
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty());
  online("alice", "a3");
  pass_the_end();
  EXPECT_EQ(broker.kicked, std::vector<std::string>{"a2"});
}

TEST_F(Devices, WhoCameBackBeforeBeingDisconnectedIsNotDisconnectedForTheOldConnection) {
  start_with(1, TooManyDevices::kKickOldest);
  subscribe(connect("alice", "a2"), "chat/u/alice/#");  // a1 has to go
  subscribe(connect("alice", "a1"), "chat/u/alice/#");  // ... and has a new connection already: a2 is the oldest now
  pass_the_end();
  EXPECT_EQ(broker.kicked, std::vector<std::string>{"a2"});
}

// Any number of bridges may stand by, and each may be looked at with its credentials.
TEST_F(Devices, OfTheBridgesUserAreNotCounted) {
  for (const auto action : {TooManyDevices::kKickOldest, TooManyDevices::kRefuse}) {
    start_with(1, action);
    for (const auto* device : {"one", "another"})
      EXPECT_TRUE(subscribe(connect("chat-bridge", device), "chat/u/chat-bridge/#"));
    tick(1);
    tick(1);
    EXPECT_TRUE(broker.kicked.empty());
    EXPECT_TRUE(error_codes("chat-bridge").empty());
  }
}

// It is asked about them anew while it is disconnected; a refusal would take them out of the session for good.
TEST_F(Devices, ADeviceThatIsDisconnectedKeepsItsSubscriptionsWhateverItMayStillAsk) {
  options.rates.user.requests = {.per_second = 1, .burst = 2};
  start_with(1, TooManyDevices::kKickOldest);
  EXPECT_TRUE(subscribe(connect("alice", "a2"), "chat/u/alice/#"));
  EXPECT_TRUE(subscribe(alice_, "chat/u/alice/ack"));
  EXPECT_FALSE(subscribe(alice_, "chat/u/alice/error")) << "there is no more to be asked";
  int asked = 0;
  broker.on_kick = [&] {
    ++asked;
    EXPECT_TRUE(subscribe(alice_, "chat/u/alice/#"));
    EXPECT_TRUE(subscribe(alice_, "chat/c/" + conv_ + "/msg"));
    EXPECT_FALSE(subscribe(alice_, "chat/u/bob/#"));
    disconnect(alice_);
  };
  pass_the_end();
  EXPECT_EQ(asked, 1);
}

TEST_F(Devices, WithRefuseTheNewOneMayDoNothingUntilAnotherIsGone) {
  start_with(2, TooManyDevices::kRefuse);
  online("alice", "a2");
  const auto third = connect("alice", "a3");
  EXPECT_FALSE(subscribe(third, "chat/u/alice/#"));
  EXPECT_EQ(message(third, "m-1").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"not_allowed", "not_allowed"}));
  EXPECT_EQ(told("alice", "error")[0].at("reason"),
            "User \"alice\" has 2 devices connected, and may have no more: \"a3\" has to wait until one is gone.");
  alice_ = online("alice", "a1");  // connected anew: counts once
  EXPECT_FALSE(subscribe(third, "chat/u/alice/#"));
  disconnect(alice_);
  EXPECT_TRUE(subscribe(third, "chat/u/alice/#"));
  pass_the_end();
  EXPECT_TRUE(broker.kicked.empty());
  EXPECT_FALSE(subscribe(connect("alice", "a1"), "chat/u/alice/#")) << "its place is taken";
  online("bob", "b2");
}

}  // namespace
}  // namespace chat::test
