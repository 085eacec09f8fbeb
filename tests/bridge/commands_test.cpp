// What becomes of a command, as a pure step: who may what, and until when.
#include <gtest/gtest.h>

#include "bridge/commands/decide.h"
#include "storage/json_members.h"
#include "storage/message_event.h"

namespace chat {
namespace {

constexpr TimeMs kSent = 1'700'000'000'000;

class Deciding : public ::testing::Test {
 protected:
  // Bob sent message 7; `user` gives the command so many milliseconds later.
  CommandEffect give(const std::string& operation, const std::string& payload, const std::string& user = "bob",
                     TimeMs later = 1000) {
    queued_.conv = "g:1";
    queued_.command.operation = operation;
    queued_.command.user = user;
    queued_.command.server_time = kSent + later;
    return decide(queued_, read_command(payload), scene_, rules_);
  }
  static std::string code(const CommandEffect& effect) {
    const auto* refusal = std::get_if<RefuseCommand>(&effect);
    return refusal != nullptr ? refusal->code : "";
  }

  QueuedCommand queued_;
  CommandRules rules_;
  CommandScene scene_{.now = kSent + 5000,
                      .role = Role::kMember,
                      .join_seq = 1,
                      .message = CommandTarget{kSent, "bob", R"({"id":"b","body":"hello"})", false},
                      .emojis = {}};
};

TEST_F(Deciding, TheWindowIsMeasuredBetweenTheTwoStamps) {
  EXPECT_TRUE(std::holds_alternative<RecallMessage>(give("recall", R"({"seq":7})", "bob", 120'000)));
  EXPECT_EQ(code(give("recall", R"({"seq":7})", "bob", 120'001)), "too_late");
  EXPECT_TRUE(std::holds_alternative<RecallMessage>(give("recall", R"({"seq":7})", "bob", -5)));
  rules_.recall_window = 0;
  EXPECT_EQ(code(give("recall", R"({"seq":7})", "bob", 1)), "too_late");
}

TEST_F(Deciding, AdminsRecallAnybodysAtAnyTime) {
  for (const auto role : {Role::kAdmin, Role::kOwner}) {
    scene_.role = role;
    scene_.join_seq = 8;
    EXPECT_TRUE(std::holds_alternative<RecallMessage>(give("recall", R"({"seq":7})", "carol", 1'000'000'000)));
  }
}

TEST_F(Deciding, OthersMayNotAndWhatLiesBeforeTheirJoiningIsNotThere) {
  EXPECT_EQ(code(give("recall", R"({"seq":7})", "carol")), "not_allowed");
  EXPECT_EQ(code(give("edit", R"({"seq":7,"body":1})", "carol")), "not_allowed");
  scene_.join_seq = 8;
  for (const auto* operation : {"recall", "edit", "react"})
    EXPECT_EQ(code(give(operation, R"({"seq":7,"body":1,"emoji":"x"})", "carol")), "not_found") << operation;
  scene_.role.reset();
  for (const auto* operation : {"recall", "edit", "react", "fly"})
    EXPECT_EQ(code(give(operation, R"({"seq":7,"body":1,"emoji":"x"})")), "not_member") << operation;
}

TEST_F(Deciding, ARecalledMessageIsRecalledAgainAndNeverChanged) {
  scene_.message->recalled = true;
  EXPECT_TRUE(std::holds_alternative<RepeatRecall>(give("recall", R"({"seq":7})", "bob", 1'000'000'000)));
  EXPECT_EQ(code(give("recall", R"({"seq":7})", "carol")), "not_allowed");
  EXPECT_EQ(code(give("edit", R"({"seq":7,"body":1})")), "not_found");
  EXPECT_EQ(code(give("react", R"({"seq":7,"emoji":"x"})", "carol")), "not_found");
}

TEST_F(Deciding, AForwardedMessageIsNotChangedByTheOneWhoForwardedIt) {
  scene_.message->payload = R"({"id":"f","forwarded":{"conv":"g:2","seq":1,"from":"dave"},"body":"hello"})";
  EXPECT_EQ(code(give("edit", R"({"seq":7,"body":"mine"})")), "not_allowed");
  EXPECT_TRUE(std::holds_alternative<RecallMessage>(give("recall", R"({"seq":7})")));
}

TEST_F(Deciding, AnEditReplacesTheBodyAndNothingElse) {
  scene_.message->payload = "{ \"body\" :{\"body\":1,\"x\":[\"}\"]} , \"k\\u0065y\":\"\\u4f60\\\"\" , \"id\":\"b\"} \n";
  const auto first = std::get<EditMessage>(give("edit", R"({"body":["a",{"b":"}"}],"seq":7})"));
  EXPECT_EQ(
      first.payload,
      "{ \"body\" :[\"a\",{\"b\":\"}\"}] , \"k\\u0065y\":\"\\u4f60\\\"\" , \"id\":\"b\",\"edited\":1700000005000} \n");
  scene_.message->payload = first.payload;
  scene_.now = kSent + 9000;
  EXPECT_EQ(std::get<EditMessage>(give("edit", R"({"body":"z","seq":7})")).payload,
            "{ \"body\" :\"z\" , \"k\\u0065y\":\"\\u4f60\\\"\" , \"id\":\"b\",\"edited\":1700000009000} \n");
  scene_.message->payload = R"({"b\u006fdy":1})";
  EXPECT_EQ(std::get<EditMessage>(give("edit", R"({"body":null,"seq":7})")).payload,
            R"({"b\u006fdy":null,"edited":1700000009000})");
}

// An app that lost the acknowledgement sends the command again: all members were told of it a second time.
TEST_F(Deciding, TheSameEditAgainChangesNothing) {
  const auto edit = [this](const char* payload) { return give("edit", payload); };
  scene_.message->payload = std::get<EditMessage>(edit(R"({"seq":7,"body":{"a":"b"}})")).payload;
  EXPECT_TRUE(std::holds_alternative<LeaveUnchanged>(edit(R"({"seq":7,"body":{"a":"b"}})")));
  EXPECT_TRUE(std::holds_alternative<EditMessage>(edit(R"({"seq":7,"body":{"a":"c"}})")));
  // The first edit says that there was one, even where it changes nothing else.
  scene_.message->payload = R"({"id":"b","body":"hello"})";
  EXPECT_TRUE(std::holds_alternative<EditMessage>(edit(R"({"seq":7,"body":"hello"})")));
}

TEST_F(Deciding, AnEditMayNotMakeAMessageLargerThanAMessage) {
  rules_.message_bytes_max = scene_.message->payload.size();
  EXPECT_TRUE(std::holds_alternative<EditMessage>(give("edit", R"({"seq":7,"body":"jello"})")));
  EXPECT_EQ(code(give("edit", R"({"seq":7,"body":"jellos"})")), "too_large");
}

TEST_F(Deciding, AReactionIsThereOrNot) {
  const auto on = std::get<SetReaction>(give("react", R"({"seq":7,"emoji":"👍"})", "carol"));
  EXPECT_EQ(on.emoji, "👍");
  EXPECT_TRUE(on.on);
  EXPECT_TRUE(std::holds_alternative<LeaveUnchanged>(give("react", R"({"seq":7,"emoji":"👍","on":false})")));
  scene_.emojis = {"❤", "👍"};
  EXPECT_TRUE(std::holds_alternative<LeaveUnchanged>(give("react", R"({"seq":7,"emoji":"\ud83d\udc4d","on":true})")));
  EXPECT_FALSE(std::get<SetReaction>(give("react", R"({"seq":7,"emoji":"👍","on":false})")).on);
}

TEST_F(Deciding, ReactionsAreBounded) {
  EXPECT_EQ(code(give("react", R"({"seq":7,"emoji":""})")), "bad_field");
  EXPECT_EQ(code(give("react", R"({"seq":7,"emoji":"a\u0000b"})")), "bad_field");
  EXPECT_EQ(code(give("react", R"({"seq":7,"emoji":")" + std::string(65, 'x') + "\"}")), "bad_field");
  for (std::size_t i = 0; i < rules_.user_reactions_max; ++i) scene_.emojis.push_back(std::to_string(i));
  EXPECT_EQ(code(give("react", R"({"seq":7,"emoji":"one more"})")), "not_allowed");
  EXPECT_TRUE(std::holds_alternative<LeaveUnchanged>(give("react", R"({"seq":7,"emoji":"3"})")));
  EXPECT_TRUE(std::holds_alternative<SetReaction>(give("react", R"({"seq":7,"emoji":"3","on":false})")));
}

TEST_F(Deciding, AMessageTakesSoManyDifferentReactionsAndMoreOfTheSame) {
  scene_.other_emojis = rules_.reactions_max - 1;
  EXPECT_TRUE(std::holds_alternative<SetReaction>(give("react", R"({"seq":7,"emoji":"one more"})")));
  scene_.other_emojis = rules_.reactions_max;
  const auto refused = give("react", R"({"seq":7,"emoji":"one too many"})");
  EXPECT_EQ(code(refused), "not_allowed");
  EXPECT_NE(std::get<RefuseCommand>(refused).reason.find("100 different"), std::string::npos);
  EXPECT_NE(std::get<RefuseCommand>(refused).reason.find("\"one too many\""), std::string::npos);
  scene_.other_emojis = 0;  // somebody has given it already
  EXPECT_TRUE(std::holds_alternative<SetReaction>(give("react", R"({"seq":7,"emoji":"one too many"})")));
}

// The plugin admits none of these; a row that came from elsewhere must not stop the bridge.
TEST_F(Deciding, NonsenseIsRefused) {
  for (const std::string payload : {"", "{", "[]", "{\"seq\"", R"({"seq":"7"})", R"({"body":)", "{\"body\":\"\\"}) {
    EXPECT_EQ(read_command(payload).seq, 0) << payload;
    EXPECT_NE(code(give("edit", payload)), "") << payload;
  }
  EXPECT_EQ(code(give("fly", R"({"seq":7})")), "unknown_operation");
}

TEST(MessageEvents, SayWhatAMessageBecomes) {
  const MessageEvent edit{.kind = MessageEvent::Kind::kEdited,
                          .conv = "g:1",
                          .rev = 3,
                          .server_time = 9,
                          .seq = 7,
                          .by = "bob",
                          .body = R"({"kind":"message.recalled","seq":1})"};
  const auto payload = message_event_payload(edit);
  EXPECT_EQ(payload, R"({"conv":"g:1","rev":3,"server_time":9,"kind":"message.edited","seq":7,"by":"bob",)"
                     R"("body":{"kind":"message.recalled","seq":1}})");
  const auto rewriting = rewriting_of(payload);
  ASSERT_TRUE(rewriting);
  EXPECT_FALSE(rewriting->recalled);
  EXPECT_EQ(rewriting->seq, 7);
  EXPECT_EQ(rewriting->body, edit.body);
  EXPECT_FALSE(rewriting_of(R"({"kind":"member.added","user":"x","seq":1,"by":"y","server_time":1})"));
  EXPECT_FALSE(rewriting_of(R"({"kind":"message.recalled","by":"y","server_time":1})"));
  EXPECT_EQ(tombstone("bob", 9), R"({"recalled":true,"by":"bob","at":9})");
  EXPECT_FALSE(edited_object(tombstone("bob", 9), "1", 10));
}

TEST(JsonMembers, AreFoundAsTheyAreWritten) {
  const std::string object = " {\"a\" : [1,{\"b\":\"]\\\"\"}] ,\"b\": -1.5e3, \"c\":true}";
  EXPECT_EQ(json_member(object, "a"), "[1,{\"b\":\"]\\\"\"}]");
  EXPECT_EQ(json_member(object, "b"), "-1.5e3");
  EXPECT_EQ(json_member(object, "c"), "true");
  EXPECT_EQ(json_member(object, "d"), std::nullopt);
  for (std::size_t cut = 0; cut < object.size(); ++cut) {
    JsonMembers members(std::string_view(object).substr(0, cut));
    while (members.next()) {
    }
    EXPECT_EQ(members.brace(), std::string_view::npos) << cut;
  }
}

}  // namespace
}  // namespace chat
