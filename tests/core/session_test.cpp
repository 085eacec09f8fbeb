// Connections: subscribing opens the tap, leaving closes it, and a client id belongs to the connection that has it now.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class Sessions : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    send(alice_, conv_, "1");
    settle();
  }
  std::string conv_;
  Phone alice_;
};

TEST_F(Sessions, AnyFilterThatCoversTheInboxOpensTheTap) {
  int number = 0;
  for (const auto* filter : {"chat/u/bob/inbox", "chat/u/bob/#", "chat/u/bob/+", "#", "+/+/+/+", "+/u/bob/inbox"}) {
    const auto bob = connect("bob", "b" + std::to_string(++number));
    EXPECT_TRUE(subscribe(bob, filter)) << filter;
    settle();
    EXPECT_EQ(seqs(bob, conv_), std::vector<Seq>{1}) << filter;
  }
}

// chat/sync stands for the subscriptions of an earlier life only where there are none in this one.
TEST_F(Sessions, SyncAddsNothingToWhatWasSubscribedTo) {
  const auto lamp = connect("bob", "lamp");
  EXPECT_TRUE(subscribe(lamp, "chat/u/bob/ack"));
  publish(lamp, "chat/sync", "{}");
  settle();
  EXPECT_TRUE(received(lamp).empty());
  const auto resumed = connect("bob", "resumed");
  publish(resumed, "chat/sync", "{}");
  settle();
  EXPECT_EQ(seqs(resumed, conv_), std::vector<Seq>{1});
}

TEST_F(Sessions, OtherFiltersAndSharedOnesDoNot) {
  int number = 0;
  for (const auto* filter : {"chat/u/bob/ack", "chat/u/bob/unread/total", "$share/g/#", "+/+", "other/#"}) {
    const auto bob = connect("bob", "b" + std::to_string(++number));
    EXPECT_TRUE(subscribe(bob, filter)) << filter;
    settle();
    EXPECT_TRUE(received(bob).empty()) << filter;
  }
}

// The broker shows no plugin that a session was resumed, so the client says it. Its subscriptions are the broker's
// secret.
TEST_F(Sessions, SyncOpensTheTapOfASessionThatWasResumedWithoutSubscribing) {
  const auto bob = connect("bob", "b1");
  EXPECT_NE(publish(bob, "chat/sync", "{}").kind, Kind::kRefuse);
  settle();
  EXPECT_EQ(seqs(bob, conv_), std::vector<Seq>{1});
  ASSERT_EQ(syncs(bob).size(), 2U);
  EXPECT_EQ(syncs(bob)[0].at("state"), "begin");
  EXPECT_EQ(syncs(bob)[1].at("state"), "end");
  send(alice_, conv_, "2");
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2}));
}

TEST_F(Sessions, AResumedSessionThatUnsubscribesIsLeftAlone) {
  const auto bob = connect("bob", "b1");
  publish(bob, "chat/sync", "{}");
  settle();
  hub->may_unsubscribe(bob.ref(), "chat/u/bob/#");
  forget();
  send(alice_, conv_, "2");
  EXPECT_TRUE(received(bob).empty());
}

TEST_F(Sessions, SyncOfASubscribedDeviceStartsAgainAtItsCursors) {
  const auto bob = online("bob", "b1");
  ack(bob, conv_, 1);
  send(alice_, conv_, "2");
  settle();
  forget();
  publish(bob, "chat/sync", "{}");
  settle();
  EXPECT_EQ(seqs(bob, conv_), std::vector<Seq>{2});
}

TEST_F(Sessions, UnsubscribingClosesTheTapAndSubscribingOpensItAgain) {
  const auto bob = online("bob", "b1");
  hub->may_unsubscribe(bob.ref(), "chat/u/bob/#");
  forget();
  send(alice_, conv_, "2");
  settle();
  EXPECT_TRUE(received(bob).empty());
  subscribe(bob, "chat/u/bob/inbox");
  settle();
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2}));
}

TEST_F(Sessions, AnotherFilterThatStillCoversTheInboxKeepsTheTapOpen) {
  const auto bob = online("bob", "b1");
  subscribe(bob, "chat/u/bob/inbox");
  hub->may_unsubscribe(bob.ref(), "chat/u/bob/#");
  send(alice_, conv_, "2");
  EXPECT_EQ(seqs(bob, conv_), (std::vector<Seq>{1, 2}));
}

TEST_F(Sessions, NothingIsSentToADeviceThatLeft) {
  const auto bob = online("bob", "b1");
  disconnect(bob);
  forget();
  send(alice_, conv_, "2");
  settle();
  EXPECT_TRUE(received(bob).empty());
}

// Of a WebSocket whose client id was taken over the broker tells the end only when its connection is closed. Until then
// all that shows is that its subscriptions are gone.
TEST_F(Sessions, WhoseSubscriptionsAreGoneHasNotItsClientIdAnyMore) {
  const auto bob = online("bob", "b1");
  broker.kept_subscriptions = 0;  // it may have opened its tap by chat/sync
  std::uint64_t first = 0;
  while (first < 100 && !hub->is_session("b1", first)) ++first;
  ASSERT_LT(first, 100U);
  broker.kept_subscriptions = 2;
  EXPECT_TRUE(hub->is_session("b1", first));
  broker.kept_subscriptions = 0;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(hub->is_session("b1", first));
  EXPECT_FALSE(hub->is_session("b1", first + 1));
}

TEST_F(Sessions, ATakenOverClientIdIsServedAnewAndTheOldConnectionsEndChangesNothing) {
  const auto before = online("bob", "b1");
  forget();
  const auto after = connect("bob", "b1");
  subscribe(after, "chat/u/bob/#");
  disconnect(before);  // arrives late, as with websockets
  settle();
  EXPECT_EQ(seqs(after, conv_), std::vector<Seq>{1});
  send(alice_, conv_, "2");
  EXPECT_EQ(seqs(after, conv_), (std::vector<Seq>{1, 2}));
}

TEST_F(Sessions, AnswersForTheConnectionThatHadTheClientIdBeforeAreThrownAway) {
  const auto bob = connect("bob", "x");
  subscribe(bob, "chat/u/bob/#");
  std::vector<Notice> late;
  while (auto answer = take_answer()) late.push_back(std::move(*answer));
  const auto dave = connect("dave", "x");
  subscribe(dave, "chat/u/dave/#");
  for (auto& answer : late) hub->notice(std::move(answer));
  settle();
  EXPECT_TRUE(received(bob).empty());
  EXPECT_TRUE(received(dave).empty());
}

TEST_F(Sessions, ASubscriptionToSomethingElseDoesNotLowerTheInboxsQos) {
  const auto bob = online("bob", "b1");
  subscribe(bob, "chat/u/bob/typing", 0);
  forget();
  send(alice_, conv_, "2");
  for (const auto& published : broker.published) {
    if (published.device == "b1") {
      EXPECT_EQ(published.qos, 1) << published.topic;
    }
  }
}

TEST_F(Sessions, AQos0SubscriberIsServedWithQos0) {
  const auto bob = connect("bob", "b1");
  subscribe(bob, "chat/u/bob/#", 0);
  settle();
  ASSERT_EQ(seqs(bob, conv_), std::vector<Seq>{1});
  for (const auto& published : broker.published) {
    if (published.device == "b1") {
      EXPECT_EQ(published.qos, 0) << published.topic;
    }
  }
}

TEST_F(Sessions, AClientIdThatIsNoDevicesNameIsRefusedAndAsksNothingOfTheStore) {
  requests.waiting.clear();
  const auto long_one = connect("bob", std::string(257, 'x'));
  EXPECT_FALSE(subscribe(long_one, "chat/u/bob/#"));
  EXPECT_EQ(publish(long_one, "chat/c/" + conv_ + "/msg", R"({"body":1})").kind, Kind::kRefuse);
  for (const auto& request : requests.waiting) EXPECT_FALSE(std::holds_alternative<OpenDevice>(request.body));
  for (const auto& code : error_codes("bob")) EXPECT_EQ(code, "not_allowed");
  EXPECT_EQ(error_codes("bob").size(), 2U);
}

TEST_F(Sessions, AClientWithoutAValidUserNameIsRefused) {
  const auto nobody = connect("", "n1");
  EXPECT_FALSE(subscribe(nobody, "chat/u/bob/inbox"));
  EXPECT_EQ(publish(nobody, "chat/c/" + conv_ + "/msg", R"({"body":1})").kind, Kind::kRefuse);
  const auto odd = connect("no good", "n2");
  EXPECT_FALSE(subscribe(odd, "chat/u/no good/inbox"));
  EXPECT_EQ(publish(odd, "chat/c/" + conv_ + "/msg", R"({"body":1})").kind, Kind::kRefuse);
  EXPECT_TRUE(subscribe(nobody, "other/#"));
}

TEST_F(Sessions, AUserWhoWasNeverAddedIsRefusedUntilAdded) {
  answers.create_users = false;
  const auto eve = connect("eve", "e1");
  publish(eve, "chat/d/bob/msg", R"({"id":"1","body":1})");
  settle();
  EXPECT_EQ(error_codes("eve"), std::vector<std::string>{"not_allowed"});
  store.add_user("eve");
  publish(eve, "chat/d/bob/msg", R"({"id":"1","body":1})");  // refused still, and asks again
  settle();
  publish(eve, "chat/d/bob/msg", R"({"id":"1","body":1})");
  settle();
  EXPECT_EQ(store.messages("dm:bob:eve").size(), 1U);
}

}  // namespace
}  // namespace chat::test
