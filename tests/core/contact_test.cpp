// Blocks and contacts in direct conversations: what the broker lets pass, and from which moment on.
#include "plugin/core/direct_rule.h"
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using Kind = PublishVerdict::Kind;

const std::string kConv = "dm:alice:bob";

class DirectRule : public HubRig {
 protected:
  void SetUp() override {
    alice_ = online("alice", "a1");
    bob_ = online("bob", "b1");
  }
  PublishVerdict write(const Phone& from, const std::string& to, const std::string& id) {
    return publish(from, "chat/d/" + to + "/msg", R"({"id":")" + id + R"(","body":"x"})");
  }
  // The two have one message each in their conversation.
  void know_each_other() {
    write(alice_, "bob", "first");
    write(bob_, "alice", "second");
    settle();
    ASSERT_EQ(store.messages(kConv).size(), 2U);
    forget();
  }
  void block(const std::string& user, const std::string& other) {
    store.set_contact(user, other, ContactState::kBlocked);
  }
  // Only those that the test does not want to hold back: all answers but the loads of conversations.
  std::optional<Notice> hold_load() {
    std::optional<Notice> load;
    while (auto answer = take_answer()) {
      if (std::holds_alternative<ConversationLoaded>(*answer)) {
        load = std::move(answer);
      } else {
        hub->notice(std::move(*answer));
      }
    }
    return load;
  }
  Phone alice_;
  Phone bob_;
};

TEST_F(DirectRule, SaysWhoMayWriteToWhom) {
  const auto code = [](const DirectStanding& standing, const char* from, bool contacts_only) {
    const auto refusal = refuse_direct(kConv, standing, from, contacts_only);
    return refusal ? code_name(refusal->code) : "may";
  };
  EXPECT_EQ(code({}, "alice", false), "may");
  EXPECT_EQ(code({}, "alice", true), "not_allowed");
  EXPECT_EQ(code({.first_blocks = false, .second_blocks = false, .contacts = true}, "bob", true), "may");
  for (const bool contacts_only : {false, true}) {
    for (const auto* from : {"alice", "bob"}) {
      EXPECT_EQ(code({.first_blocks = true, .second_blocks = false, .contacts = false}, from, contacts_only),
                "blocked");
      EXPECT_EQ(code({.first_blocks = false, .second_blocks = true, .contacts = true}, from, contacts_only), "blocked");
    }
  }
  const DirectStanding alice_blocks{.first_blocks = true, .second_blocks = false, .contacts = false};
  EXPECT_NE(refuse_direct(kConv, alice_blocks, "alice", false)->reason.find("contact.unblock"), std::string::npos);
  EXPECT_EQ(refuse_direct(kConv, alice_blocks, "bob", false)->reason.find("unblock"), std::string::npos);
  EXPECT_NE(refuse_direct(kConv, {}, "bob", true)->reason.find("\"alice\""), std::string::npos);
  EXPECT_FALSE(refuse_direct("g:group", alice_blocks, "alice", true));
}

TEST_F(DirectRule, ABlockHoldsInBothDirections) {
  know_each_other();
  block("alice", "bob");
  settle();
  EXPECT_EQ(write(bob_, "alice", "b").kind, Kind::kRefuse);
  EXPECT_EQ(send(bob_, kConv, "by its name").kind, Kind::kRefuse);
  EXPECT_EQ(write(alice_, "bob", "a").kind, Kind::kRefuse);
  EXPECT_EQ(error_codes("bob"), (std::vector<std::string>{"blocked", "blocked"}));
  EXPECT_EQ(told("bob", "error")[0].at("id"), "b");
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"blocked"});
  settle();
  EXPECT_EQ(store.messages(kConv).size(), 2U);
  EXPECT_TRUE(received(alice_).empty());

  store.set_contact("alice", "bob", std::nullopt);
  settle();
  EXPECT_NE(write(bob_, "alice", "again").kind, Kind::kRefuse);
  EXPECT_EQ(seqs(alice_, kConv), std::vector<Seq>{3});
}

// What lies between the word of the change and the answer to the question waits: it is judged by what is true then.
TEST_F(DirectRule, NothingPassesOnceTheBrokerHasHeardOfTheBlock) {
  know_each_other();
  block("alice", "bob");
  write(bob_, "alice", "not heard of yet");
  EXPECT_EQ(seqs(alice_, kConv), std::vector<Seq>{3});
  hear_changes();
  write(bob_, "alice", "heard of");
  publish(bob_, "chat/c/" + kConv + "/recall", R"({"seq":4})");
  EXPECT_EQ(seqs(alice_, kConv), std::vector<Seq>{3});
  settle();
  EXPECT_EQ(error_codes("bob"), (std::vector<std::string>{"blocked", "not_found"}));
  EXPECT_EQ(store.messages(kConv).size(), 3U);
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
}

TEST_F(DirectRule, WhatWaitedForAChangeThatForbidsNothingGoesOnInOrder) {
  know_each_other();
  store.set_contact("alice", "bob", ContactState::kPendingOut);
  hear_changes();
  write(bob_, "alice", "3");
  publish(bob_, "chat/c/" + kConv + "/recall", R"({"seq":3})");
  write(bob_, "alice", "4");
  EXPECT_TRUE(received(alice_).empty());
  settle();
  EXPECT_TRUE(error_codes("bob").empty());
  EXPECT_EQ(seqs(alice_, kConv), (std::vector<Seq>{3, 4}));
  EXPECT_EQ(store.commands().size(), 1U);
}

// The broker came back, and so did PostgreSQL while it was asked: what may have changed between the two is asked anew.
// Meanwhile the device connects, and would be given again what it has.
TEST_F(DirectRule, AnAcknowledgementDoesNotWaitForHowTheTwoStand) {
  know_each_other();
  restart();
  bob_ = connect("bob", "b1");
  ack(bob_, kConv, 2);
  subscribe(bob_, "chat/u/bob/#");
  persist();
  auto answer = take_answer();
  for (; answer && !std::holds_alternative<ConversationLoaded>(*answer); answer = take_answer())
    hub->notice(std::move(*answer));
  ASSERT_TRUE(answer);
  hub->notice(Changed{{Change{Change::Kind::kEverything, {}, {}}}});
  hub->notice(std::move(*answer));
  EXPECT_EQ(journal.all<CursorRecord>().size(), 1U);
  settle();
  EXPECT_TRUE(seqs(bob_, kConv).empty());
}

TEST_F(DirectRule, ABlockedUsersFirstMessageCreatesNothing) {
  block("alice", "bob");
  settle();
  write(bob_, "alice", "hello");
  write(alice_, "bob", "hello");
  settle();
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"blocked"});
  EXPECT_EQ(told("bob", "error")[0].at("id"), "hello");
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"blocked"});
  EXPECT_FALSE(store.find_conversation(kConv));
  EXPECT_EQ(hub->parked_floor(), Parking::kNothingParked);
  store.set_contact("alice", "bob", std::nullopt);
  settle();
  write(bob_, "alice", "hello again");
  settle();
  EXPECT_EQ(seqs(alice_, kConv), std::vector<Seq>{1});
}

// The load had read that nobody blocks anybody, and made the conversation; the word of the block came before its
// answer.
TEST_F(DirectRule, ALoadThatReadBeforeTheBlockLetsNothingPass) {
  for (const auto kind : {Change::Kind::kContacts, Change::Kind::kEverything}) {
    store.set_contact("alice", "bob", std::nullopt);
    settle();
    restart();
    forget();
    alice_ = online("alice", "a1");
    bob_ = connect("bob", "b1");
    write(bob_, "alice", "hello");
    persist();
    auto load = hold_load();
    ASSERT_TRUE(load);
    block("alice", "bob");
    store.wait(std::chrono::milliseconds(0));
    hub->notice(Changed{{Change{kind, kConv, {}}}});
    hub->notice(std::move(*load));
    EXPECT_TRUE(seqs(alice_, kConv).empty());
    settle();
    EXPECT_TRUE(seqs(alice_, kConv).empty());
    EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"blocked"});
  }
}

// The change came while an answer to an earlier one was under way, which may have read before it.
TEST_F(DirectRule, AnAnswerThatReadBeforeTheLastChangeIsNotBelieved) {
  know_each_other();
  store.set_contact("alice", "bob", ContactState::kPendingOut);
  hear_changes();
  auto first = hold_load();
  ASSERT_TRUE(first);
  block("alice", "bob");
  hear_changes();
  hub->notice(std::move(*first));
  write(bob_, "alice", "3");
  EXPECT_TRUE(received(alice_).empty());
  settle();
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"blocked"});
}

// A cursor of a conversation that is not there tells nothing of a block, and nothing of users.
TEST_F(DirectRule, OnlyWhoWritesIsToldOfTheBlock) {
  block("alice", "bob");
  settle();
  ack(bob_, kConv, 1);
  settle();
  ASSERT_EQ(error_codes("bob"), std::vector<std::string>{"not_found"});
  EXPECT_NE(told("bob", "error")[0].at("reason").get<std::string>().find(kConv), std::string::npos);
}

TEST_F(DirectRule, WhatWasParkedBeforeACrashIsJudgedBehindIt) {
  write(bob_, "alice", "hello");
  block("alice", "bob");
  restart();
  settle();
  EXPECT_EQ(error_codes("bob"), std::vector<std::string>{"blocked"});
  EXPECT_FALSE(store.find_conversation(kConv));
}

TEST_F(DirectRule, WhatExistsIsReadAcknowledgedAndTakenBackButNotWrittenAnew) {
  know_each_other();
  block("alice", "bob");
  settle();
  for (const auto* phone : {&alice_, &bob_}) {
    EXPECT_NE(ack(*phone, kConv, 2).kind, Kind::kRefuse);
    EXPECT_NE(publish(*phone, "chat/c/" + kConv + "/read", R"({"seq":2})").kind, Kind::kRefuse);
    EXPECT_NE(publish(*phone, "chat/c/" + kConv + "/recall", R"({"seq":2})").kind, Kind::kRefuse);
    EXPECT_EQ(publish(*phone, "chat/c/" + kConv + "/edit", R"({"seq":2,"id":"e","body":"y"})").kind, Kind::kRefuse);
    EXPECT_EQ(publish(*phone, "chat/c/" + kConv + "/react", R"({"seq":2,"emoji":"x","on":true})").kind, Kind::kRefuse);
    EXPECT_EQ(publish(*phone, "chat/c/" + kConv + "/typing", R"({"on":true})", 0).kind, Kind::kRefuse);
    EXPECT_EQ(error_codes(phone->user), (std::vector<std::string>{"blocked", "blocked", "blocked"}));
    EXPECT_EQ(told(phone->user, "error")[0].at("id"), "e");
  }
  EXPECT_TRUE(told("alice", "typing").empty());
  settle();
  EXPECT_EQ(store.commands().size(), 2U);
}

// The broker had taken it before the block: the retry learns that, and nobody gets it twice.
TEST_F(DirectRule, ARetryOfWhatWasAcceptedBeforeIsStillRecognised) {
  know_each_other();
  block("alice", "bob");
  settle();
  EXPECT_NE(write(bob_, "alice", "second").kind, Kind::kRefuse);
  ASSERT_EQ(told("bob", "ack").size(), 1U);
  EXPECT_EQ(told("bob", "ack")[0]["acks"][0]["seq"], 2);
  EXPECT_TRUE(received(alice_).empty());
}

TEST_F(DirectRule, MessagesFlowInACommonGroup) {
  const auto conv = group("alice", {"bob"});
  block("alice", "bob");
  settle();
  send(bob_, conv, "in the group");
  settle();
  EXPECT_EQ(seqs(alice_, conv), std::vector<Seq>{1});
}

TEST_F(DirectRule, RequireContactLetsOnlyContactsWrite) {
  know_each_other();
  options.require_contact = true;
  answers.require_contact = true;
  restart();
  alice_ = online("alice", "a1");
  bob_ = online("bob", "b1");
  forget();
  write(bob_, "alice", "there already");
  write(bob_, "carol", "not there yet");
  settle();
  EXPECT_EQ(error_codes("bob"), (std::vector<std::string>{"not_allowed", "not_allowed"}));
  EXPECT_NE(told("bob", "error")[1].at("reason").get<std::string>().find("\"carol\""), std::string::npos);
  EXPECT_FALSE(store.find_conversation("dm:bob:carol"));
  store.set_contact("alice", "bob", ContactState::kPendingOut);
  store.set_contact("bob", "alice", ContactState::kPendingIn);
  settle();
  EXPECT_EQ(write(bob_, "alice", "asked").kind, Kind::kRefuse);
  store.set_contact("alice", "bob", ContactState::kAccepted);
  store.set_contact("bob", "alice", ContactState::kAccepted);
  settle();
  EXPECT_NE(write(bob_, "alice", "accepted").kind, Kind::kRefuse);
  EXPECT_EQ(seqs(alice_, kConv), std::vector<Seq>{3});
  const auto conv = group("alice", {"bob"});
  settle();
  EXPECT_NE(send(bob_, conv, "groups are not touched").kind, Kind::kRefuse);
}

}  // namespace
}  // namespace chat::test
