// Memory is bounded: a conversation is forgotten and loaded again while the store lags behind the journal, and nothing
// is lost by it.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

class Eviction : public HubRig {
 protected:
  // A core that remembers one conversation at a time.
  void SetUp() override {
    options.cache_bytes = 1;
    restart();
    one_ = group("alice", {"bob"});
    other_ = group("alice", {"bob"});
    alice_ = online("alice", "a1");
  }
  // Makes the core forget `one_`, without a commit of what was journaled behind it.
  void evict() {
    send(alice_, other_, "pushes the other one out");
    persist();
    while (answer_one()) {
    }
  }

  std::string one_;
  std::string other_;
  Phone alice_;
};

TEST_F(Eviction, NumbersGoOnWhereTheyWereThoughTheStoreLags) {
  send(alice_, one_, "1");
  settle();
  send(alice_, one_, "2");
  evict();
  send(alice_, one_, "3");
  settle();
  const auto kept = store.messages(one_);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept.back().seq, 3);
}

// A change of members was being read when the conversation was forgotten; that answer knows nothing of what was
// journaled since and must not pass for the load that waits for it.
TEST_F(Eviction, AReloadThatComesLateDoesNotTakeNumbersBack) {
  send(alice_, other_, "load");
  settle();
  send(alice_, one_, "1");
  settle();
  store.add_member(one_, "carol", Role::kMember, "alice", clock.now());
  hear_changes();
  auto reload = take_answer();
  ASSERT_TRUE(reload && std::holds_alternative<ConversationLoaded>(*reload));
  send(alice_, one_, "2");  // journaled only
  send(alice_, other_, "pushes it out");
  persist(1);
  const auto committed_behind_two = committed();
  persist();
  while (answer_one()) {
  }
  // Now `one_` is out of memory. The late answer is from before message 2.
  send(alice_, one_, "3");
  hub->notice(std::move(*reload));
  settle();
  ASSERT_GT(committed(), committed_behind_two);
  std::vector<Seq> seqs;
  for (const auto& message : store.messages(one_)) seqs.push_back(message.seq);
  EXPECT_EQ(seqs, (std::vector<Seq>{1, 2, 3}));
}

TEST_F(Eviction, ADeviceThatIsBehindGetsAllOfItFromTheStoreOnceThatHasIt) {
  options.outflow.window = 2;
  restart();
  alice_ = online("alice", "a1");
  const auto bob = online("bob", "b1");
  for (int i = 1; i <= 6; ++i) send(alice_, one_, std::to_string(i));
  settle();
  for (int i = 7; i <= 9; ++i) send(alice_, one_, std::to_string(i));  // journaled, not committed
  EXPECT_EQ(seqs(bob, one_), (std::vector<Seq>{1, 2}));
  send(alice_, other_, "evicts");
  // Nothing is committed, so what bob is owed can't be read yet, and is not taken for missing.
  for (Seq seq = 2; seq <= 9; seq += 2) {
    ack(bob, one_, seq);
    settle();
  }
  EXPECT_EQ(seqs(bob, one_), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(Eviction, RetriesAreRecognisedThoughTheSenderWasForgotten) {
  publish(alice_, "chat/c/" + one_ + "/msg", R"({"id":"x","body":1})");
  settle();
  const auto bob = online("bob", "b1");
  const auto carol = online("carol", "c1");
  send(bob, one_, "bob's ids push alice's out");
  settle();
  publish(alice_, "chat/c/" + one_ + "/msg", R"({"id":"x","body":1})");
  settle();
  EXPECT_EQ(store.messages(one_).size(), 2U);
}

TEST_F(Eviction, AnAcknowledgementAboveWhatTheLaneKnowsWaitsForTheConversation) {
  // bob reads the conversation's own topic and hears of events only, so that his lane knows no messages.
  const auto bob = connect("bob", "b1");
  ASSERT_TRUE(subscribe(bob, "chat/u/bob/event"));
  settle();
  send(alice_, one_, "1");
  settle();
  store.add_member(one_, "carol", Role::kMember, "alice", clock.now());
  settle();
  send(alice_, one_, "2");
  settle();
  evict();
  forget();
  EXPECT_NE(ack(bob, one_, 2).kind, PublishVerdict::Kind::kRefuse);
  settle();
  EXPECT_TRUE(error_codes("bob").empty());
  EXPECT_EQ(store.cursor("bob", "b1", one_)->first, 2);
}

}  // namespace
}  // namespace chat::test
