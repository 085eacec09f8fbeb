// What becomes of a message: its number, its bytes, and whom it reaches.
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

using nlohmann::json;
using Kind = PublishVerdict::Kind;

class Sending : public HubRig {};

TEST_F(Sending, AcceptedMessagesAreNumberedWithoutHoleAndStampedInFront) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  online("bob", "b1");
  send(alice, conv, "zero");  // loads the conversation
  settle();
  const auto verdict = publish(alice, "chat/c/" + conv + "/msg", R"( {"body":"one","x":[1, 2]} )");
  ASSERT_EQ(verdict.kind, Kind::kReplace);
  ASSERT_TRUE(verdict.payload);
  const auto stamped = json::parse(*verdict.payload);
  EXPECT_EQ(stamped.at("seq"), 2);
  EXPECT_EQ(stamped.at("conv"), conv);
  EXPECT_EQ(stamped.at("from"), "alice");
  EXPECT_EQ(stamped.at("server_time"), clock.wall);
  EXPECT_TRUE((*verdict.payload).ends_with(R"("body":"one","x":[1, 2]} )")) << *verdict.payload;
  settle();
  ASSERT_EQ(store.messages(conv).size(), 2U);
  EXPECT_EQ(store.messages(conv)[1].payload, R"({"body":"one","x":[1, 2]} )");
}

TEST_F(Sending, EveryDeviceOfEveryMemberGetsTheSameBytesTheSendersOwnIncluded) {
  const auto conv = group("alice", {"bob", "carol"});
  const auto phone = online("alice", "a1");
  const auto tablet = online("alice", "a2");
  const auto bob = online("bob", "b1");
  const auto dave = online("dave", "d1");
  send(phone, conv, "hello");
  settle();
  for (const auto& device : {phone, tablet, bob}) {
    const auto all = received(device);
    ASSERT_FALSE(all.empty()) << device.device;
    EXPECT_EQ(all.back().payload, received(phone).back().payload);
    EXPECT_EQ(seqs(device, conv), std::vector<Seq>{1});
  }
  EXPECT_TRUE(received(dave).empty());
}

TEST_F(Sending, NothingIsShownBeforeTheJournalHasIt) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  const auto bob = online("bob", "b1");
  send(alice, conv, "one");
  settle();
  forget();
  const auto kept = journal.records().size();
  for (const auto failure : {AppendResult::kFull, AppendResult::kBroken}) {
    journal.answer(failure);
    EXPECT_EQ(send(alice, conv, "lost").kind, Kind::kRefuse);
  }
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"storage_full", "unavailable"}));
  EXPECT_TRUE(received(bob).empty());
  EXPECT_EQ(journal.records().size(), kept);
  journal.answer(AppendResult::kOk);
  send(alice, conv, "two");
  EXPECT_EQ(seqs(bob, conv), std::vector<Seq>{2});  // the refused ones took no number
}

TEST_F(Sending, SentIsToldOnceTheStoreHasCommitted) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  send(alice, conv, "load");
  settle();
  forget();
  publish(alice, "chat/c/" + conv + "/msg", R"({"id":"m-1","body":1})");
  EXPECT_TRUE(told("alice", "ack").empty());
  persist();
  const auto acks = told("alice", "ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0], json::parse(R"({"acks":[{"id":"m-1","conv":")" + conv + R"(","seq":2,"server_time":)" +
                                 std::to_string(clock.wall) + R"(,"status":"sent"}]})"));
}

TEST_F(Sending, ServerTimeNeverFallsWhenTheClockIsSetBack) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  send(alice, conv, "one");
  settle();
  const auto before = clock.wall;
  clock.wall -= 3'600'000;
  send(alice, conv, "two");
  clock.wall += 10;
  send(alice, conv, "three");
  settle();
  for (const auto& message : store.messages(conv)) EXPECT_EQ(message.server_time, before);
  clock.wall = before + 5;
  send(alice, conv, "four");
  settle();
  EXPECT_EQ(store.messages(conv).back().server_time, before + 5);
}

TEST_F(Sending, DirectMessageGoesToInboxesAndIsRoutedToNobody) {
  const auto alice = online("alice", "a1");
  const auto bob = online("bob", "b1");
  publish(alice, "chat/d/bob/msg", R"({"id":"1","body":"psst"})");
  settle();
  publish(bob, "chat/d/alice/msg", R"({"id":"1","body":"what?"})");
  settle();
  EXPECT_EQ(seqs(alice, "dm:alice:bob"), (std::vector<Seq>{1, 2}));
  EXPECT_EQ(seqs(bob, "dm:alice:bob"), (std::vector<Seq>{1, 2}));
  const auto again = publish(alice, "chat/d/bob/msg", R"({"id":"2","body":"in memory now"})");
  EXPECT_NE(again.kind, Kind::kRefuse);
  for (const auto& one : routed) {
    EXPECT_EQ(hub->may_read(bob.ref(), one.topic, one.payload), Access::kRefused) << one.topic;
  }
}

TEST_F(Sending, RefusalsOfADirectMessageNameWhatIsWrong) {
  const auto alice = online("alice", "a1");
  forget();
  publish(alice, "chat/d/alice/msg", R"({"body":1})");
  publish(alice, "chat/d/no one/msg", R"({"body":1})");
  publish(alice, "chat/d/ghost/msg", R"({"body":1,"id":"g"})");
  settle();
  EXPECT_EQ(error_codes("alice"), (std::vector<std::string>{"not_allowed", "not_found", "not_found"}));
}

TEST_F(Sending, ReplyToWhatDoesNotExistIsRefused) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  send(alice, conv, "one");
  settle();
  forget();
  EXPECT_EQ(publish(alice, "chat/c/" + conv + "/msg", R"({"id":"r","body":1,"reply_to":2})").kind, Kind::kRefuse);
  ASSERT_EQ(told("alice", "error").size(), 1U);
  EXPECT_EQ(told("alice", "error")[0].at("code"), "bad_field");
  EXPECT_EQ(told("alice", "error")[0].at("id"), "r");
  EXPECT_EQ(publish(alice, "chat/c/" + conv + "/msg", R"({"id":"r","body":1,"reply_to":1})").kind, Kind::kReplace);
}

TEST_F(Sending, TypingGoesToTheOthersWhoAreHereAndIsNotKept) {
  const auto conv = group("alice", {"bob", "carol"});
  const auto alice = online("alice", "a1");
  online("bob", "b1");
  send(alice, conv, "load");
  settle();
  forget();
  const auto kept = journal.records().size();
  publish(alice, "chat/c/" + conv + "/typing", R"({"on":true})", 0);
  ASSERT_EQ(told("bob", "typing").size(), 1U);
  EXPECT_EQ(told("bob", "typing")[0], (json{{"conv", conv}, {"user", "alice"}, {"on", true}}));
  EXPECT_TRUE(told("alice", "typing").empty());
  EXPECT_TRUE(told("carol", "typing").empty());  // is not here
  EXPECT_EQ(journal.records().size(), kept);
}

TEST_F(Sending, RecallIsJournaledBehindItsMessageHoweverFast) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  send(alice, conv, "oops");  // is not even in memory yet
  publish(alice, "chat/c/" + conv + "/recall", R"({"seq":1})");
  settle();
  ASSERT_EQ(store.commands().size(), 1U);
  EXPECT_EQ(requests.hurried, 1) << "the recall, and not the message";
  EXPECT_EQ(store.commands()[0].operation, "recall");
  EXPECT_EQ(store.commands()[0].payload, R"({"seq":1})");
  EXPECT_EQ(store.commands()[0].user, "alice");
  EXPECT_TRUE(error_codes("alice").empty());
  publish(alice, "chat/c/" + conv + "/edit", R"({"seq":9,"body":"x"})");
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>{"not_found"});
}

TEST_F(Sending, AStrangerIsRefusedWhateverItPublishes) {
  const auto conv = group("alice", {"bob"});
  const auto alice = online("alice", "a1");
  send(alice, conv, "load");
  settle();
  const auto dave = online("dave", "d1");
  const auto kept = journal.records().size();
  const std::vector<std::pair<std::string, std::string>> tries{
      {"msg", R"({"body":1})"},    {"delivered", R"({"seq":1})"},     {"read", R"({"seq":1})"},
      {"recall", R"({"seq":1})"},  {"edit", R"({"seq":1,"body":2})"}, {"react", R"({"seq":1,"emoji":"x"})"},
      {"typing", R"({"on":true})"}};
  for (const auto& [leaf, payload] : tries) {
    EXPECT_EQ(publish(dave, "chat/c/" + conv + "/" + leaf, payload).kind, Kind::kRefuse) << leaf;
  }
  EXPECT_EQ(error_codes("dave"), std::vector<std::string>(tries.size(), "not_member"));
  EXPECT_EQ(publish(dave, "chat/c/dm:alice:bob/msg", R"({"body":1})").kind, Kind::kRefuse);
  EXPECT_EQ(journal.records().size(), kept);
  EXPECT_FALSE(store.find_conversation("dm:alice:bob"));  // was not made for him either
}

TEST_F(Sending, WhatNobodyPublishesToIsAnUnknownOperation) {
  const auto alice = online("alice", "a1");
  forget();
  for (const auto* topic : {"chat", "chat/x", "chat/c/g:1/nonsense", "chat/c/g:1", "chat/rpc", "chat/rpc/a/b"}) {
    EXPECT_EQ(publish(alice, topic, R"({"body":1})").kind, Kind::kRefuse) << topic;
  }
  EXPECT_EQ(error_codes("alice"), std::vector<std::string>(6, "unknown_operation"));
  EXPECT_EQ(publish(alice, "elsewhere/x", "anything").kind, Kind::kOutside);
}

TEST_F(Sending, ClientsDoNotPublishToUserTopicsNotEvenTheirOwn) {
  const auto alice = online("alice", "a1");
  EXPECT_EQ(publish(alice, "chat/u/bob/inbox", "{}").kind, Kind::kRefuse);
  EXPECT_EQ(publish(alice, "chat/u/alice/inbox", "{}").kind, Kind::kRefuse);
  const auto bridge = connect("chat-bridge", "bridge");
  EXPECT_EQ(publish(bridge, "chat/u/bob/event", "{}").kind, Kind::kUntouched);
  EXPECT_EQ(publish(bridge, "chat/d/bob/msg", R"({"body":1})").kind, Kind::kRefuse);
}

TEST_F(Sending, AMessageWithoutIdIsTakenAsOftenAsItComes) {
  const auto conv = group("alice");
  const auto alice = online("alice", "a1");
  for (int i = 0; i < 3; ++i) publish(alice, "chat/c/" + conv + "/msg", R"({"body":"same"})");
  settle();
  EXPECT_EQ(seqs(alice, conv), (std::vector<Seq>{1, 2, 3}));
}

}  // namespace
}  // namespace chat::test
