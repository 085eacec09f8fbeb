// Edits and reactions: durable events, which wait for devices that are away.
#include <gtest/gtest.h>

#include "tests/support/commanding.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct EditStack {
  static StackOptions options() { return {}; }
};

constexpr const char* kEdited = "message.edited";
constexpr const char* kReaction = "message.reaction";

class EditsAndReactions : public StackSuite<EditStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = stack().new_group(alice_, {bob_});
    looking_ = std::make_unique<Database>(stack().pg());
  }

  std::string away(const std::string& user) {
    const auto id = user + "-away";
    const auto known = device(user, {.device = id});
    known->sync("end");
    known->acknowledge_all();
    return id;
  }

  std::string alice_;
  std::string bob_;
  std::string conv_;
  std::unique_ptr<Database> looking_;
};

TEST_F(EditsAndReactions, AnEditReachesThoseWhoAreThereAsAnEventAndOthersAsTheNewText) {
  const auto phone = away(bob_);
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  const auto id = alice->new_id();
  const std::string written = R"({"id":")" + id + R"(", "body":"helo", "mine":[1, 2]})";
  alice->mqtt().publish(message_topic(conv_), written);
  alice->sent(id);
  bob->message(conv_, 1);
  give_command(*alice, conv_, "edit", 1, {{"body", {{"text", "hello"}}}});
  const auto event = event_about(*bob, kEdited, conv_, 1).json;
  EXPECT_EQ(event.at("by"), alice_);
  EXPECT_EQ(event.at("body"), (nlohmann::json{{"text", "hello"}}));
  const auto time = std::to_string(event.at("server_time").get<std::int64_t>());
  const auto expected = R"({"id":")" + id + R"(", "body":{"text":"hello"}, "mine":[1, 2],"edited":)" + time + "}";
  EXPECT_EQ(stored_payload(*looking_, conv_, 1), expected);

  const auto late = device(bob_, {.device = phone});
  EXPECT_EQ(without_server_fields(late->message(conv_, 1)), expected);
  EXPECT_EQ(event_about(*late, kEdited, conv_, 1).json, event);
  stack().kill("broker");
  stack().start("broker");
  late->connect();
  late->mqtt().expect("once more, from PostgreSQL", [&](const Message& message) {
    return message.topic == late->own("inbox") && without_server_fields(message) == expected;
  });
}

TEST_F(EditsAndReactions, OnlyTheSenderEditsAndNothingThatIsRecalledOrTooLarge) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  alice->sent(alice->send(conv_, "mine"));
  EXPECT_EQ(bob->error_for(give_command(*bob, conv_, "edit", 1, {{"body", "x"}})).at("code"), "not_allowed");
  const std::string large(65'536 - 120, 'x');
  EXPECT_EQ(alice->mqtt().publish("chat/c/" + conv_ + "/edit",
                                  nlohmann::json{{"seq", 1}, {"body", std::string(65'536, 'x')}}),
            kNotAuthorised);
  alice->error("too_large");
  auto padded = text(alice->new_id(), "small");
  padded["more"] = std::string(60'000, '.');
  alice->mqtt().publish(message_topic(conv_), padded);
  EXPECT_EQ(alice->error_for(give_command(*alice, conv_, "edit", 2, {{"body", large}})).at("code"), "too_large");
  give_command(*alice, conv_, "recall", 1);
  EXPECT_EQ(alice->error_for(give_command(*alice, conv_, "edit", 1, {{"body", "x"}})).at("code"), "not_found");
  EXPECT_EQ(stored_events(*looking_, kEdited, conv_, 1) + stored_events(*looking_, kEdited, conv_, 2), 0);
}

TEST_F(EditsAndReactions, AReactionIsToldOnceHoweverOftenItIsGiven) {
  const auto alice = device(alice_);
  const auto bob = device(bob_);
  alice->sent(alice->send(conv_, "like it?"));
  for (int i = 0; i < 3; ++i) give_command(*bob, conv_, "react", 1, {{"emoji", "👍"}, {"on", true}});
  give_command(*bob, conv_, "react", 1, {{"emoji", "🎉"}});
  give_command(*alice, conv_, "react", 1, {{"emoji", "👍"}, {"on", true}});
  for (int i = 0; i < 2; ++i) give_command(*bob, conv_, "react", 1, {{"emoji", "👍"}, {"on", false}});
  give_command(*bob, conv_, "edit", 1, {{"body", "refused"}});  // the last word
  bob->error("not_allowed");
  eventually("four events at alice's", [&] { return events_of(*alice, conv_).size() == 4; });
  std::vector<std::string> told;
  for (const auto& event : events_of(*alice, conv_)) {
    EXPECT_EQ(field(event, "kind"), kReaction);
    told.push_back(field(event, "user") + field(event, "emoji") + (event.json.at("on").get<bool>() ? "+" : "-"));
  }
  EXPECT_EQ(told, (std::vector<std::string>{bob_ + "👍+", bob_ + "🎉+", alice_ + "👍+", bob_ + "👍-"}));
  EXPECT_EQ(stored_events(*looking_, kReaction, conv_, 1), 4);
  give_command(*alice, conv_, "recall", 1);
  event_about(*bob, "message.recalled", conv_, 1);
  EXPECT_EQ(looking_->number("SELECT count(*) FROM reactions"), 0);
  EXPECT_EQ(bob->error_for(give_command(*bob, conv_, "react", 1, {{"emoji", "👍"}})).at("code"), "not_found");
}

TEST_F(EditsAndReactions, EventsWaitForADeviceThatWasAwayInOrder) {
  const auto phone = away(bob_);
  const auto alice = device(alice_, {.acknowledge_every = 1});
  alice->sent(alice->send(conv_, "first"));
  for (int i = 1; i <= 250; ++i) {
    alice->mqtt().publish_async("chat/c/" + conv_ + "/edit", R"({"seq":1,"body":)" + std::to_string(i) + "}", nullptr);
  }
  give_command(*alice, conv_, "react", 1, {{"emoji", "x"}});
  eventually("the last event in PostgreSQL", [&] { return stored_events(*looking_, kReaction, conv_, 1) == 1; });
  // The broker learns of what is stored a moment later, and only then gives the newest text.
  eventually("the last event at a device", [&] { return events_of(*alice, conv_).size() == 251; });
  const auto late = device(bob_, {.device = phone});
  // A window at a time: events count in it as messages do.
  for (std::size_t seen = 0; seen < 251; seen = events_of(*late, conv_).size()) {
    late->acknowledge_all();
    eventually("more events", [&] { return events_of(*late, conv_).size() > seen; });
  }
  EXPECT_EQ(looking_->number("SELECT changed_at FROM conversations WHERE name = " + looking_->quote(conv_)),
            events_of(*late, conv_).back().json.at("server_time").get<std::int64_t>())
      << "a broker that loads the conversation takes it for the time of its newest event";
  const auto events = events_of(*late, conv_);
  ASSERT_EQ(events.size(), 251U);
  for (std::size_t i = 0; i < 250; ++i) {
    EXPECT_EQ(events[i].json.at("body").get<std::size_t>(), i + 1);
    EXPECT_EQ(events[i].json.at("rev").get<std::size_t>(), i + 2);
  }
  EXPECT_EQ(late->message(conv_, 1).json.at("body"), 250);
}

}  // namespace
}  // namespace chat::test
