// Changes that others make (chatctl, the bridge): who hears of them, and who gets messages from then on.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

class Changes : public HubRig {
 protected:
  void SetUp() override {
    conv_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
    send(alice_, conv_, "1");
    settle();
    ack(bob_, conv_, 1, 1);
    settle();
    forget();
  }
  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Changes, ANewMemberIsToldAndGetsMessagesFromThenOn) {
  const auto carol = online("carol", "c1");
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  settle();
  EXPECT_EQ(revs(carol, conv_), std::vector<Rev>{2});
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
  send(alice_, conv_, "2");
  EXPECT_EQ(seqs(carol, conv_), std::vector<Seq>{2});
}

// What was sent between the change in the store and the broker's learning of it is the new member's too.
TEST_F(Changes, ANewMemberMissesNothingFromItsFirstMessageOn) {
  const auto carol = online("carol", "c1");
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  send(alice_, conv_, "2");
  send(alice_, conv_, "3");
  settle();
  send(alice_, conv_, "4");
  settle();
  EXPECT_EQ(seqs(carol, conv_), (std::vector<Seq>{2, 3, 4}));
}

// Somebody with thousands of conversations is added to one more, or to thousands.
TEST_F(Changes, ANewMembersDeviceAsksAboutThisConversationOnly) {
  const auto carol = online("carol", "c1");
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  hear_changes();
  int places = 0;
  do {
    for (const auto& request : requests.waiting) {
      EXPECT_FALSE(std::holds_alternative<OpenDevice>(request.body));
      if (std::holds_alternative<PlaceDevice>(request.body)) ++places;
    }
  } while (answer_one());
  EXPECT_EQ(places, 1);
  send(alice_, conv_, "2");
  EXPECT_EQ(seqs(carol, conv_), std::vector<Seq>{2});
}

// The device learned of its conversation by itself (it opened its tap) before the broker heard that it has a new
// member: messages in between went to the others only.
TEST_F(Changes, ANewMemberThatKnowsItsPlaceAlreadyMissesNothingEither) {
  const auto carol = online("carol", "c1");
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  publish(carol, "chat/sync", "{}");
  while (answer_one()) {
  }
  ASSERT_EQ(revs(carol, conv_), std::vector<Rev>{2});
  send(alice_, conv_, "2");
  settle();
  EXPECT_EQ(seqs(carol, conv_), std::vector<Seq>{2});
}

// A reaction in a group of thousands must not cost a list of thousands.
TEST_F(Changes, AnEventAloneDoesNotLoadTheMembersAgain) {
  store.rewrite(conv_, {.seq = 1, .recalled = false, .by = "alice", .at = clock.now(), .body = "\"2\""});
  hear_changes();
  ASSERT_EQ(requests.waiting.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<LoadEvents>(requests.waiting.front().body));
  settle();
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
}

// The word of an event came first, and by the time its answer was read somebody had left, of which the word is still on
// its way.
TEST_F(Changes, EventsThatTellOfMembersAreToldWithTheMembersAsTheyAre) {
  store.rewrite(conv_, {.seq = 1, .recalled = true, .by = "alice", .at = clock.now(), .body = {}});
  hear_changes();
  store.remove_member(conv_, "bob", "alice", clock.now());
  store.wait(std::chrono::milliseconds(0));
  ASSERT_TRUE(answer_one());
  EXPECT_TRUE(received(bob_).empty());
  settle();
  EXPECT_EQ(revs(alice_, conv_), (std::vector<Rev>{2, 3}));
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{3}) << "what he is told when he has gone";
  EXPECT_EQ(send(bob_, conv_, "no").kind, Kind::kRefuse);
}

TEST_F(Changes, AChangeOfMembersDuringALoadOfEventsIsNotMissed) {
  const auto carol = online("carol", "c1");
  store.rewrite(conv_, {.seq = 1, .recalled = true, .by = "alice", .at = clock.now(), .body = {}});
  hear_changes();
  auto events = take_answer();
  ASSERT_TRUE(events);
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  hear_changes();
  hub->notice(std::move(*events));
  settle();
  EXPECT_EQ(revs(alice_, conv_), (std::vector<Rev>{2, 3}));
  EXPECT_EQ(revs(carol, conv_), std::vector<Rev>{3});
}

TEST_F(Changes, ARemovedMemberIsToldAndGetsNothingMore) {
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
  forget();
  send(alice_, conv_, "2");
  settle();
  EXPECT_TRUE(received(bob_).empty());
  EXPECT_EQ(send(bob_, conv_, "no").kind, Kind::kRefuse);
  EXPECT_EQ(ack(bob_, conv_, 1).kind, Kind::kRefuse);
}

TEST_F(Changes, ARemovedMemberThatWasBehindIsNotServedTheRest) {
  options.outflow.window = 2;
  restart();
  alice_ = connect("alice", "a1");
  for (int i = 0; i < 10; ++i) send(alice_, conv_, "x");
  settle();
  bob_ = online("bob", "b1");
  ASSERT_EQ(seqs(bob_, conv_).size(), 2U);
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  forget();
  ack(bob_, conv_, 3);
  settle();
  EXPECT_TRUE(seqs(bob_, conv_).empty());
}

TEST_F(Changes, ARemovedMemberThatWasBehindDoesNotKeepItsPartOfTheWindow) {
  options.outflow.window = 2;
  restart();
  alice_ = connect("alice", "a1");
  for (int i = 0; i < 10; ++i) send(alice_, conv_, "x");
  const auto other = group("alice", {"bob"});
  settle();
  bob_ = online("bob", "b1");
  ASSERT_EQ(seqs(bob_, conv_).size(), 2U);
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  send(alice_, other, "x");
  settle();
  EXPECT_EQ(seqs(bob_, other), std::vector<Seq>{1});
}

TEST_F(Changes, WhoComesBackGetsMessagesFromTheNewJoiningOn) {
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  send(alice_, conv_, "2: not bob's");
  settle();
  store.add_member(conv_, "bob", Role::kMember, "alice", clock.now());
  settle();
  forget();
  send(alice_, conv_, "3");
  settle();
  EXPECT_EQ(seqs(bob_, conv_), std::vector<Seq>{3});
}

// The load had read the members before the change, and the change was heard before the load came in.
TEST_F(Changes, AChangeDuringTheLoadIsNotMissed) {
  restart();
  alice_ = connect("alice", "a1");
  send(alice_, conv_, "2");
  persist();
  std::optional<Notice> load;
  while (auto answer = take_answer()) {
    if (std::holds_alternative<ConversationLoaded>(*answer)) {
      load = std::move(answer);
    } else {
      hub->notice(std::move(*answer));
    }
  }
  ASSERT_TRUE(load);
  store.remove_member(conv_, "bob", "alice", clock.now());
  store.wait(std::chrono::milliseconds(0));
  hub->notice(Changed{{Change{Change::Kind::kConversation, conv_, {}}}});
  hub->notice(std::move(*load));
  settle();
  const auto bob = connect("bob", "b1");
  settle();
  send(bob, conv_, "too late");
  settle();
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"not_member"});
}

TEST_F(Changes, AChangeThatALoadReadBeforeItWasHeardOfIsToldToo) {
  const auto fresh = group("alice", {"bob"});
  settle();
  ack(bob_, fresh, 0, 1);
  options.cache_bytes = 1;
  restart();
  alice_ = connect("alice", "a1");
  bob_ = online("bob", "b1");
  forget();
  store.add_member(fresh, "dave", Role::kMember, "alice", clock.now());
  send(alice_, fresh, "loads it");
  persist();
  while (answer_one()) {
  }
  hear_changes();
  settle();
  EXPECT_EQ(revs(bob_, fresh), std::vector<Rev>{2});
  EXPECT_EQ(seqs(bob_, fresh), std::vector<Seq>{1});
}

TEST_F(Changes, AChangeOfAConversationThatIsNotInMemoryIsToldToo) {
  const auto fresh = store.create_group("new", "carol", std::vector<std::string>{"bob"}, clock.now());
  settle();
  EXPECT_EQ(revs(bob_, fresh), std::vector<Rev>{1});
  store.add_member(fresh, "dave", Role::kMember, "carol", clock.now());
  settle();
  EXPECT_EQ(revs(bob_, fresh), (std::vector<Rev>{1, 2}));
}

// It was in memory when the change was heard of, and was forgotten before the reload came back.
TEST_F(Changes, AChangeOfAConversationThatIsForgottenMeanwhileIsToldToo) {
  options.cache_bytes = 1;
  restart();
  alice_ = online("alice", "a1");
  bob_ = online("bob", "b1");
  send(alice_, conv_, "loads it");
  settle();
  store.add_member(conv_, "dave", Role::kMember, "alice", clock.now());
  hear_changes();
  auto reload = take_answer();
  ASSERT_TRUE(reload && std::holds_alternative<ConversationLoaded>(*reload));
  send(alice_, group("alice", {"carol"}), "evicts it");
  persist();
  while (answer_one()) {
  }
  forget();
  hub->notice(std::move(*reload));
  settle();
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
}

TEST_F(Changes, ARemovalFromAConversationThatIsNotInMemoryEndsTheCatchUp) {
  options.outflow.window = 2;
  options.cache_bytes = 1;
  restart();
  alice_ = connect("alice", "a1");
  for (int i = 0; i < 10; ++i) send(alice_, conv_, "x");
  settle();
  bob_ = online("bob", "b2");
  ASSERT_EQ(seqs(bob_, conv_).size(), 2U);
  const auto other = group("alice", {"carol"});
  send(alice_, other, "evicts");
  settle();
  store.remove_member(conv_, "bob", "alice", clock.now());
  settle();
  forget();
  ack(bob_, conv_, 2, 1);
  settle();
  EXPECT_TRUE(seqs(bob_, conv_).empty());
}

TEST_F(Changes, AfterALostConnectionEverythingInMemoryIsLookedAtAgain) {
  store.set_available(false);
  store.set_available(true);
  store.add_member(conv_, "carol", Role::kMember, "alice", clock.now());
  settle();
  EXPECT_EQ(revs(bob_, conv_), std::vector<Rev>{2});
}

TEST_F(Changes, AfterALostConnectionConversationsOutsideOfMemoryAreLookedAtToo) {
  const auto fresh = store.create_group("new", "carol", std::vector<std::string>{"bob"}, clock.now());
  store.set_available(false);
  store.set_available(true);
  settle();
  EXPECT_EQ(revs(bob_, fresh), std::vector<Rev>{1});
  EXPECT_TRUE(seqs(bob_, conv_).empty());  // nothing comes again
}

TEST_F(Changes, ManyEventsAtOnceAreAllTold) {
  for (int i = 0; i < 700; ++i) {
    store.add_member(conv_, "carol", i % 2 == 0 ? Role::kMember : Role::kAdmin, "alice", clock.now());
  }
  settle();
  Rev last = 1;
  for (int i = 0; i < 100 && last < 701; ++i) {
    ASSERT_FALSE(revs(bob_, conv_).empty());
    last = revs(bob_, conv_).back();
    ack(bob_, conv_, 1, last);
    settle();
  }
  const auto all = revs(bob_, conv_);
  ASSERT_EQ(all.size(), 700U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<Rev>(i + 2));
}

TEST_F(Changes, ADevicesNewSettingCountsAtOnce) {
  store.set_device("bob", "b1", {.replay = std::nullopt, .replay_limit = std::nullopt, .ack = AckMode::kAuto});
  settle();
  send(alice_, conv_, "2");
  tick(200);
  settle();
  EXPECT_EQ(store.cursor("bob", "b1", conv_)->first, 2);
}

TEST_F(Changes, AnAnnouncementConversationTakesMessagesOfItsOwnersOnly) {
  ConversationState state = *store.find_conversation(conv_);
  state.announcement = true;
  store.add_member(conv_, "carol", Role::kAdmin, "alice", clock.now());
  hear_changes();
  auto reload = take_answer();
  ASSERT_TRUE(reload);
  std::get<ConversationLoaded>(*reload).state->announcement = true;
  hub->notice(std::move(*reload));
  EXPECT_EQ(send(bob_, conv_, "no").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"not_allowed"});
  EXPECT_EQ(send(alice_, conv_, "yes").kind, Kind::kReplace);
}

}  // namespace
}  // namespace chat::test
