// member.add, .remove, .role, .list
#include <algorithm>

#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using Members = RequestSuite;

std::vector<std::string> users(const json& page) {
  std::vector<std::string> users;
  for (const auto& row : page.at("members")) users.push_back(row.at("user"));
  return users;
}

TEST_F(Members, EachOneAddedIsAnEventWithTheNextRev) {
  const auto conv = group({"alice", "bob"});
  add_users({"carol", "dave"});
  send_many(conv, "alice", 3);
  const auto got = ask("alice", "member.add", {{"conv", conv}, {"users", {"dave", "bob", "carol", "dave"}}});
  EXPECT_EQ(got["conv"], conv);
  EXPECT_EQ(got["added"], json({"carol", "dave"})) << "bob was there before";
  const auto all = events(conv);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1]["kind"], "member.added");
  EXPECT_EQ(all[1]["user"], "carol");
  EXPECT_EQ(all[1]["role"], "member");
  EXPECT_EQ(all[1]["by"], "alice");
  EXPECT_EQ(all[2]["user"], "dave");
  EXPECT_EQ(ask("carol", "history", {{"conv", conv}})["messages"].size(), 0U) << "what was said before is not hers";
  EXPECT_EQ(ask("carol", "sync", {{"cursors", {{conv, {{"rev", 0}}}}}})["events"].size(), 2U) << "from her own on";
  EXPECT_EQ(ask("dave", "sync", {{"cursors", {{conv, {{"rev", 0}}}}}})["events"].size(), 1U);
}

TEST_F(Members, ADirectConversationThatGrowsBecomesAGroup) {
  add_users({"bob", "carol"});
  const std::string direct = ask("alice", "conversation.create", {{"user", "bob"}})["conv"];
  send(direct, "alice");
  const auto got = ask("bob", "member.add", {{"conv", direct}, {"users", {"carol", "alice"}}});
  const std::string conv = got["conv"];
  EXPECT_EQ(conv.substr(0, 2), "g:");
  EXPECT_EQ(got["added"], json({"carol"}));
  EXPECT_EQ(users(ask("carol", "member.list", {{"conv", conv}})), (std::vector<std::string>{"alice", "bob", "carol"}));
  EXPECT_EQ(ask("bob", "conversation.get", {{"conv", conv}})["role"], "owner");
  EXPECT_EQ(ask("alice", "member.list", {{"conv", direct}})["members"].size(), 2U) << "the direct one stays";
  const auto nobody = ask("bob", "member.add", {{"conv", direct}, {"users", {"alice", "bob"}}});
  EXPECT_EQ(nobody["conv"], direct);
  EXPECT_EQ(nobody["added"], json::array());
}

TEST_F(Members, OnlyOwnerAndAdminsAddAndRemove) {
  const auto conv = group({"alice", "bob", "carol", "dave", "erin"});
  add_users({"frank"});
  const auto role = [&](const std::string& user, const std::string& word) {
    ask("alice", "member.role", {{"conv", conv}, {"user", user}, {"role", word}});
  };
  role("bob", "admin");
  role("carol", "admin");
  EXPECT_EQ(refused("dave", "member.add", {{"conv", conv}, {"users", {"frank"}}}, "\"dave\" is member"), "not_allowed");
  EXPECT_EQ(refused("dave", "member.remove", {{"conv", conv}, {"users", {"erin"}}}, "\"dave\""), "not_allowed");
  EXPECT_EQ(refused("bob", "member.remove", {{"conv", conv}, {"users", {"carol"}}}, "\"carol\""), "not_allowed");
  EXPECT_EQ(refused("bob", "member.remove", {{"conv", conv}, {"users", {"erin", "alice"}}}, "\"alice\""),
            "not_allowed");
  EXPECT_EQ(refused("bob", "member.remove", {{"conv", conv}, {"users", {"bob"}}}, "conversation.leave"), "not_allowed");
  EXPECT_EQ(refused("bob", "member.remove", {{"conv", conv}, {"users", {"frank"}}}, "\"frank\""), "not_found");
  EXPECT_EQ(refused("bob", "member.add", {{"conv", conv}, {"users", {"zoe"}}}, "\"zoe\""), "not_found");
  EXPECT_EQ(refused("bob", "member.add", {{"conv", conv}, {"users", json::array()}}, "an array"), "bad_field");
  EXPECT_EQ(refused("bob", "member.remove", {{"conv", conv}}, "users is missing"), "bad_field");
  EXPECT_EQ(events(conv).size(), 3U) << "a refusal leaves nothing behind, also not of the first of two";
  ask("bob", "member.add", {{"conv", conv}, {"users", {"frank"}}});
  ask("bob", "member.remove", {{"conv", conv}, {"users", {"erin", "dave"}}});
  ask("alice", "member.remove", {{"conv", conv}, {"users", {"carol"}}});
  EXPECT_EQ(users(ask("frank", "member.list", {{"conv", conv}})), (std::vector<std::string>{"alice", "bob", "frank"}));
  const auto all = events(conv);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all[4]["kind"], "member.removed");
  EXPECT_EQ(all[4]["user"], "dave");
  EXPECT_EQ(all[4]["by"], "bob");
}

TEST_F(Members, AGroupDoesNotGrowBeyondItsBound) {
  Services small;
  small.members_max = 3;
  work_with(small);
  add_users({"alice", "bob", "carol", "dave"});
  EXPECT_EQ(refused("alice", "conversation.create", {{"members", {"bob", "carol", "dave"}}}, "4"), "not_allowed");
  const auto conv = group({"alice", "bob"});
  EXPECT_EQ(refused("alice", "member.add", {{"conv", conv}, {"users", {"carol", "dave"}}}, "4"), "not_allowed");
  EXPECT_EQ(events(conv).size(), 1U);
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol", "bob"}}});
  EXPECT_EQ(refused("alice", "member.add", {{"conv", conv}, {"users", {"dave"}}}, "3"), "not_allowed");
  ask("alice", "conversation.create", {{"user", "bob"}});
  EXPECT_EQ(refused("bob", "member.add", {{"conv", "dm:alice:bob"}, {"users", {"carol", "dave"}}}, "4"), "not_allowed");
  small.members_max = 2;
  work_with(small);
  EXPECT_EQ(ask("alice", "member.add", {{"conv", conv}, {"users", {"bob"}}})["added"], json::array())
      << "a group that is too large already is no reason to refuse what changes nothing";
}

TEST_F(Members, NobodyIsInMoreGroupsThanTheBound) {
  Services small;
  small.groups_max = 2;
  work_with(small);
  add_users({"bob", "carol"});
  const auto create = [](const json& members) { return json{{"members", members}}; };
  ask("alice", "conversation.create", create({"bob"}));
  const std::string second = ask("alice", "conversation.create", create(json::array()))["conv"];
  EXPECT_EQ(refused("alice", "conversation.create", create({"carol"}), "\"alice\" is in 2 groups"), "not_allowed");
  const std::string bobs = ask("bob", "conversation.create", create({"carol"}))["conv"];
  EXPECT_EQ(refused("carol", "conversation.create", create({"alice"}), "\"alice\" is in 2 groups"), "not_allowed");
  EXPECT_EQ(refused("bob", "member.add", {{"conv", bobs}, {"users", {"alice"}}}, "\"alice\""), "not_allowed");
  EXPECT_EQ(ask("bob", "member.list", {{"conv", bobs}})["members"].size(), 2U) << "a refusal leaves nothing behind";
  const std::string direct = ask("alice", "conversation.create", {{"user", "carol"}})["conv"];
  EXPECT_EQ(refused("carol", "member.add", {{"conv", direct}, {"users", {"bob"}}}, "\"alice\""), "not_allowed")
      << "a new group of the three";
  ask("alice", "conversation.leave", {{"conv", second}});
  ask("bob", "member.add", {{"conv", bobs}, {"users", {"alice"}}});
}

TEST_F(Members, NobodyIsRemovedFromADirectOne) {
  add_users({"bob"});
  const std::string direct = ask("alice", "conversation.create", {{"user", "bob"}})["conv"];
  EXPECT_EQ(refused("alice", "member.remove", {{"conv", direct}, {"users", {"bob"}}}, direct), "not_allowed");
  EXPECT_EQ(refused("alice", "member.role", {{"conv", direct}, {"user", "bob"}, {"role", "admin"}}, direct),
            "not_allowed");
}

TEST_F(Members, TheOwnerGivesRolesAndCanGiveTheGroupAway) {
  const auto conv = group({"alice", "bob", "carol"});
  const auto give = [&](const std::string& user, const json& role) {
    return json{{"conv", conv}, {"user", user}, {"role", role}};
  };
  ask("alice", "member.role", give("bob", "admin"));
  ask("alice", "member.role", give("bob", "admin"));
  EXPECT_EQ(events(conv).size(), 2U) << "the same again is no event";
  EXPECT_EQ(refused("bob", "member.role", give("carol", "admin"), "\"bob\" is admin"), "not_allowed");
  EXPECT_EQ(refused("alice", "member.role", give("alice", "member"), "\"alice\""), "not_allowed");
  EXPECT_EQ(refused("alice", "member.role", give("zoe", "admin"), "\"zoe\""), "not_found");
  EXPECT_EQ(refused("alice", "member.role", give("bob", "king"), "\"king\""), "bad_field");
  EXPECT_EQ(refused("alice", "member.role", give("bob", 2), "role is 2"), "bad_field");
  EXPECT_EQ(refused("alice", "member.role", {{"conv", conv}, {"user", "bob"}}, "role is missing"), "bad_field");
  EXPECT_EQ(refused("alice", "member.role", {{"conv", conv}, {"role", "admin"}}, "user is missing"), "bad_field");

  ask("alice", "member.role", give("carol", "owner"));
  const auto all = events(conv);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[2]["user"], "carol");
  EXPECT_EQ(all[2]["role"], "owner");
  EXPECT_EQ(all[3]["user"], "alice");
  EXPECT_EQ(all[3]["role"], "admin");
  ask("carol", "member.role", give("alice", "member"));
  EXPECT_EQ(refused("alice", "member.role", give("bob", "member"), "\"alice\" is member"), "not_allowed");
}

TEST_F(Members, PagesOfTheListGiveEachOneExactlyOnce) {
  std::vector<std::string> all;
  for (int i = 0; i < 137; ++i) all.push_back("user-" + std::to_string(i));
  const auto conv = group(all);
  ask("user-5", "profile.set", {{"name", "Five"}});
  std::sort(all.begin(), all.end());
  for (const int limit : {1, 10, 68, 136, 137, 138, 500}) {
    std::vector<std::string> paged;
    json fields{{"conv", conv}, {"limit", limit}};
    for (bool more = true; more;) {
      const auto page = ask("user-7", "member.list", fields);
      for (const auto& user : users(page)) paged.push_back(user);
      more = page.contains("cursor");
      if (more) fields["cursor"] = page["cursor"];
    }
    EXPECT_EQ(paged, all) << limit;
  }
  const auto five = ask("user-7", "member.list", {{"conv", conv}, {"cursor", "user-49"}, {"limit", 1}})["members"][0];
  EXPECT_EQ(five, json({{"user", "user-5"}, {"name", "Five"}, {"role", "member"}, {"joined_at", now_}}));
  EXPECT_EQ(refused("user-7", "member.list", {{"conv", conv}, {"limit", 501}}, "501"), "bad_field");
  EXPECT_EQ(refused("user-7", "member.list", {{"conv", conv}, {"cursor", 5}}, "cursor is 5"), "bad_field");
}

}  // namespace
}  // namespace chat::test
