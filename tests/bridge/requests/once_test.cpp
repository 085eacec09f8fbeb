// Requests that change something, sent again.
#include <atomic>
#include <thread>

#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using RequestsOnce = RequestSuite;

constexpr TimeMs kDay = 24LL * 60 * 60 * 1000;

TEST_F(RequestsOnce, TheSameIdAgainIsAnsweredTheSameAndChangesNothing) {
  add_users({"bob"});
  const json fields{{"title", "x"}, {"members", {"bob"}}};
  const auto first = answer_text("alice", "conversation.create", fields, "c-1");
  EXPECT_EQ(json::parse(first)["ok"], true) << first;
  now_ += 5000;
  EXPECT_EQ(answer_text("alice", "conversation.create", fields, "c-1"), first);
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), 1);
  EXPECT_NE(answer_text("alice", "conversation.create", fields, "c-2"), first);
  EXPECT_EQ(answer("bob", "conversation.create", fields, "c-1")["ok"], true) << "an id is its user's own";
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), 3);
}

TEST_F(RequestsOnce, TheSameIdWithAnotherRequestIsRefused) {
  const auto conv = group({"alice", "bob"});
  ASSERT_EQ(answer("alice", "settings.set", {{"conv", conv}, {"muted", true}}, "s-1")["ok"], true);
  for (const auto& [operation, fields] :
       std::vector<std::pair<std::string, json>>{{"settings.set", {{"conv", conv}, {"muted", false}}},
                                                 {"conversation.leave", {{"conv", conv}, {"muted", true}}}}) {
    const auto got = answer("alice", operation, fields, "s-1");
    EXPECT_EQ(got["code"], "id_conflict") << got;
    EXPECT_NE(got["reason"].get<std::string>().find("\"s-1\""), std::string::npos) << got;
  }
  EXPECT_EQ(ask("alice", "conversation.get", {{"conv", conv}})["muted"], true);
}

TEST_F(RequestsOnce, ARefusalIsForgottenSoThatASecondTryCanSucceed) {
  const json fields{{"members", {"bob"}}};
  EXPECT_EQ(answer("alice", "conversation.create", fields, "c-1")["code"], "not_found");
  add_users({"bob"});
  EXPECT_EQ(answer("alice", "conversation.create", fields, "c-1")["ok"], true);
}

TEST_F(RequestsOnce, AnIdThatCanNotBeKeptIsRefused) {
  const auto got = answer("alice", "profile.set", {{"name", "A"}}, std::string("a\0b", 3));
  EXPECT_EQ(got["code"], "bad_field") << got;
}

TEST_F(RequestsOnce, AnswersAreForgottenADayLater) {
  ask("alice", "profile.set", {{"name", "A"}});
  now_ += kDay + 1;
  for (int i = 0; i < 500; ++i) ask("alice", "profile.set", {{"name", "A"}});
  EXPECT_EQ(number("SELECT count(*) FROM request_answers"), 500);
}

// Two bridges, or one that is asked again while the first try is under way.
TEST_F(RequestsOnce, AskedOfTwoAtOnceItIsCarriedOutOnce) {
  constexpr int kRounds = 20;
  const auto other = open_request_store(uri(), "the other bridge");
  for (int round = 0; round < kRounds; ++round) {
    const RequestKey key{"alice", "c-" + std::to_string(round), "conversation.create", "{}", now_};
    std::atomic<int> made = 0;
    const auto work = [&](RequestChanges& changes) {
      ++made;
      return changes.create_group({}, {.members = 10, .groups = 1000});
    };
    std::string theirs;
    std::thread there([&] { theirs = other->once(key, work); });
    const auto ours = requests().once(key, work);
    there.join();
    EXPECT_EQ(ours, theirs);
    EXPECT_EQ(made, 1);
  }
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), kRounds);
}

}  // namespace
}  // namespace chat::test
