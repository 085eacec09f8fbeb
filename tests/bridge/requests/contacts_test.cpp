// contact.request, .accept, .remove, .block, .unblock, .list, and what a block forbids other requests
#include <algorithm>

#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

class Contacts : public RequestSuite {
 protected:
  void SetUp() override { add_users({"alice", "bob", "carol"}); }

  json act(const std::string& user, const std::string& action, const std::string& other) {
    return ask(user, "contact." + action, {{"user", other}}).at("state");
  }
  std::string cannot(const std::string& user, const std::string& action, const std::string& other) {
    return refused(user, "contact." + action, {{"user", other}}, "\"" + other + "\"");
  }
  // "other state" of each row.
  std::vector<std::string> list(const std::string& user, json fields = json::object()) {
    std::vector<std::string> rows;
    const auto answer = ask(user, "contact.list", fields);
    for (const auto& row : answer["contacts"]) {
      rows.push_back(row["user"].get<std::string>() + " " + row["state"].get<std::string>());
    }
    return rows;
  }
  // "kind user" of what the user was told since the last call, in order.
  std::vector<std::string> told(const std::string& user) {
    std::vector<std::string> kinds;
    const auto count = number("SELECT count(*) FROM outgoing WHERE user_name = '" + user + "' AND leaf = 'event'");
    for (const auto* kind : {"requested", "accepted", "removed"}) {
      for (const auto* by : {"alice", "bob", "carol"}) {
        const auto many =
            number("SELECT count(*) FROM outgoing WHERE user_name = '" + user + "' AND payload LIKE '%\"" +
                   "kind\":\"contact." + kind + "\",\"user\":\"" + by + "\"}'");
        for (int i = 0; i < many; ++i) kinds.push_back(std::string(kind) + " by " + by);
      }
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(count)) << "something of another kind was told";
    sql("DELETE FROM outgoing WHERE user_name = '" + user + "'");
    return kinds;
  }
  using Words = std::vector<std::string>;
};

TEST_F(Contacts, ARequestIsToldAndAccepted) {
  EXPECT_EQ(act("alice", "request", "bob"), "pending_out");
  EXPECT_EQ(list("alice"), Words{"bob pending_out"});
  EXPECT_EQ(list("bob"), Words{"alice pending_in"});
  EXPECT_EQ(told("bob"), Words{"requested by alice"});
  EXPECT_EQ(act("alice", "request", "bob"), "pending_out");
  EXPECT_EQ(told("bob"), Words{}) << "the same again is told to nobody";
  EXPECT_EQ(cannot("alice", "accept", "bob"), "not_found");
  EXPECT_EQ(act("bob", "accept", "alice"), "accepted");
  EXPECT_EQ(list("alice"), Words{"bob accepted"});
  EXPECT_EQ(list("bob"), Words{"alice accepted"});
  EXPECT_EQ(told("alice"), Words{"accepted by bob"});
  EXPECT_EQ(act("bob", "accept", "alice"), "accepted");
  EXPECT_EQ(told("alice"), Words{});
  EXPECT_EQ(told("bob"), Words{});
}

TEST_F(Contacts, CrossingRequestsAreAccepted) {
  EXPECT_EQ(act("alice", "request", "bob"), "pending_out");
  EXPECT_EQ(act("bob", "request", "alice"), "accepted");
  EXPECT_EQ(list("alice"), Words{"bob accepted"});
  EXPECT_EQ(told("alice"), Words{"accepted by bob"});
  EXPECT_EQ(told("bob"), Words{"requested by alice"});
}

TEST_F(Contacts, RemovingTellsTheOtherAndEndsAlsoARequest) {
  act("alice", "request", "bob");
  EXPECT_EQ(act("bob", "remove", "alice"), "none");
  EXPECT_EQ(list("alice"), Words{});
  EXPECT_EQ(list("bob"), Words{});
  EXPECT_EQ(told("alice"), Words{"removed by bob"});
  EXPECT_EQ(cannot("bob", "remove", "alice"), "not_found");
  EXPECT_EQ(cannot("bob", "accept", "alice"), "not_found");
}

TEST_F(Contacts, ABlockEndsTheContactAndIsToldToNobody) {
  act("alice", "request", "bob");
  act("bob", "accept", "alice");
  told("alice");
  told("bob");
  EXPECT_EQ(act("alice", "block", "bob"), "blocked");
  EXPECT_EQ(list("alice"), Words{"bob blocked"});
  EXPECT_EQ(list("bob"), Words{});
  EXPECT_EQ(told("bob"), Words{});
  EXPECT_EQ(cannot("bob", "request", "alice"), "blocked");
  EXPECT_EQ(refused("alice", "contact.request", {{"user", "bob"}}, "contact.unblock"), "blocked");
  EXPECT_EQ(act("bob", "block", "alice"), "blocked");
  EXPECT_EQ(act("alice", "unblock", "bob"), "none");
  EXPECT_EQ(cannot("alice", "unblock", "bob"), "not_found");
  EXPECT_EQ(cannot("alice", "request", "bob"), "blocked");
  EXPECT_EQ(act("bob", "unblock", "alice"), "none");
  EXPECT_EQ(list("alice"), Words{}) << "the contact does not come back";
  EXPECT_EQ(act("bob", "request", "alice"), "pending_out");
}

TEST_F(Contacts, WhatCannotBeIsRefusedWithTheName) {
  for (const auto* action : {"request", "accept", "remove", "block", "unblock"}) {
    EXPECT_EQ(cannot("alice", action, "alice"), "bad_field");
    EXPECT_EQ(cannot("alice", action, "zoe"), "not_found");
    EXPECT_EQ(cannot("alice", action, "not valid"), "not_found");
    EXPECT_EQ(refused("alice", std::string("contact.") + action, json::object(), "user is missing"), "bad_field");
  }
  EXPECT_EQ(refused("alice", "contact.list", {{"state", "friend"}}, "\"friend\""), "bad_field");
  EXPECT_EQ(refused("alice", "contact.list", {{"limit", 501}}, "501"), "bad_field");
}

TEST_F(Contacts, TheSameRequestSentAgainIsAnsweredTheSameAndToldOnce) {
  const auto first = answer_text("alice", "contact.request", {{"user", "bob"}}, "r");
  act("bob", "accept", "alice");
  EXPECT_EQ(answer_text("alice", "contact.request", {{"user", "bob"}}, "r"), first);
  EXPECT_EQ(told("bob"), Words{"requested by alice"});
  EXPECT_EQ(list("alice"), Words{"bob accepted"});
}

TEST_F(Contacts, PagesOfTheListGiveEachOneExactlyOnce) {
  ask("bob", "profile.set", {{"name", "Bob B."}, {"avatar", "https://b"}});
  std::vector<std::string> all;
  for (int i = 0; i < 37; ++i) {
    const auto name = "user-" + std::to_string(i);
    add_users({name});
    act("alice", i % 3 == 0 ? "block" : "request", name);
    all.push_back(name);
  }
  act("alice", "request", "bob");
  all.emplace_back("bob");
  std::sort(all.begin(), all.end());
  for (const int limit : {1, 10, 37, 38, 39}) {
    std::vector<std::string> paged;
    json fields{{"limit", limit}};
    for (bool more = true; more;) {
      const auto page = ask("alice", "contact.list", fields);
      for (const auto& row : page["contacts"]) paged.push_back(row["user"]);
      more = page.contains("cursor");
      if (more) fields["cursor"] = page["cursor"];
    }
    EXPECT_EQ(paged, all) << limit;
  }
  EXPECT_EQ(list("alice", {{"state", "blocked"}}).size(), 13U);
  EXPECT_EQ(list("alice", {{"state", "accepted"}}).size(), 0U);
  EXPECT_EQ(
      ask("alice", "contact.list", {{"limit", 1}})["contacts"][0],
      json({{"user", "bob"}, {"name", "Bob B."}, {"avatar", "https://b"}, {"state", "pending_out"}, {"at", now_}}));
}

TEST_F(Contacts, ABlockedUserMakesNoDirectConversationAndNeitherDoesWhoBlocks) {
  act("alice", "block", "bob");
  EXPECT_EQ(refused("bob", "conversation.create", {{"user", "alice"}}, "\"alice\""), "blocked");
  EXPECT_EQ(refused("alice", "conversation.create", {{"user", "bob"}}, "contact.unblock"), "blocked");
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), 0);
  act("alice", "unblock", "bob");
  EXPECT_EQ(ask("bob", "conversation.create", {{"user", "alice"}})["conv"], "dm:alice:bob");
}

TEST_F(Contacts, ABlockedUserPutsNobodyIntoAGroupWhoBlocksThem) {
  const auto conv = group({"bob", "carol"});
  const auto common = group({"bob", "alice"});
  ask("bob", "conversation.create", {{"user", "alice"}});
  act("alice", "block", "bob");
  EXPECT_EQ(refused("bob", "conversation.create", {{"members", {"carol", "alice"}}}, "\"alice\""), "blocked");
  EXPECT_EQ(refused("bob", "member.add", {{"conv", conv}, {"users", {"alice"}}}, "\"alice\""), "blocked");
  EXPECT_EQ(refused("bob", "member.add", {{"conv", "dm:alice:bob"}, {"users", {"carol"}}}, "\"alice\""), "blocked");
  EXPECT_EQ(events(conv).size(), 1U);
  EXPECT_EQ(ask("bob", "member.add", {{"conv", common}, {"users", {"alice", "carol"}}})["added"], json({"carol"}))
      << "who is in it already is not put there";
  ask("alice", "conversation.create", {{"members", {"bob"}}});
  ask("carol", "conversation.create", {{"members", {"alice", "bob"}}});
}

TEST_F(Contacts, WithRequireContactOnlyContactsMakeADirectConversation) {
  Services strict;
  strict.require_contact = true;
  work_with(strict);
  EXPECT_EQ(refused("bob", "conversation.create", {{"user", "alice"}}, "\"alice\""), "not_allowed");
  act("alice", "request", "bob");
  EXPECT_EQ(refused("bob", "conversation.create", {{"user", "alice"}}, "\"alice\""), "not_allowed");
  act("bob", "request", "alice");
  EXPECT_EQ(ask("bob", "conversation.create", {{"user", "alice"}})["conv"], "dm:alice:bob");
}

}  // namespace
}  // namespace chat::test
