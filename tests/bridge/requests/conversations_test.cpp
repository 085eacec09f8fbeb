// conversation.create, .get, .update, .leave
#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using Conversations = RequestSuite;

TEST_F(Conversations, AGroupIsMadeWithItsMembersAndItsFirstEvent) {
  add_users({"bob", "carol"});
  const std::string conv = ask("alice", "conversation.create",
                               {{"title", "Picnic"},
                                {"members", {"bob", "carol", "bob"}},
                                {"avatar", "https://a/1.png"},
                                {"announcement", true}})["conv"];
  EXPECT_EQ(conv.substr(0, 2), "g:");
  const auto got = ask("alice", "conversation.get", {{"conv", conv}});
  EXPECT_EQ(got["title"], "Picnic");
  EXPECT_EQ(got["avatar"], "https://a/1.png");
  EXPECT_EQ(got["announcement"], true);
  EXPECT_EQ(got["kind"], "group");
  EXPECT_EQ(got["role"], "owner");
  EXPECT_EQ(got["members"], 3);
  EXPECT_EQ(got["last_rev"], 1);
  EXPECT_EQ(ask("bob", "conversation.get", {{"conv", conv}})["role"], "member");
  const auto all = events(conv);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["kind"], "conversation.created");
  EXPECT_EQ(all[0]["by"], "alice");
  EXPECT_EQ(all[0]["members"], 3);
}

TEST_F(Conversations, ADirectOneIsMadeOnceWhoeverAsks) {
  add_users({"bob"});
  EXPECT_EQ(ask("alice", "conversation.create", {{"user", "bob"}})["conv"], "dm:alice:bob");
  EXPECT_EQ(ask("bob", "conversation.create", {{"user", "alice"}})["conv"], "dm:alice:bob");
  EXPECT_EQ(number("SELECT count(*) FROM members"), 2);
  ask("bob", "profile.set", {{"name", "Bob B."}, {"avatar", "b.png"}});
  const auto got = ask("alice", "conversation.get", {{"conv", "dm:alice:bob"}});
  EXPECT_EQ(got["kind"], "direct");
  EXPECT_EQ(got["user"], "bob");
  EXPECT_EQ(got["title"], "Bob B.");
  EXPECT_EQ(got["avatar"], "b.png");
  EXPECT_EQ(got["members"], 2);
}

TEST_F(Conversations, WhatCanNotBeMadeIsRefused) {
  add_users({"bob"});
  const std::string op = "conversation.create";
  EXPECT_EQ(refused("alice", op, {{"title", "x"}}, "the field members is missing"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"title", "x"}, {"members", "bob"}}, "\"bob\""), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"title", "x"}, {"members", {7}}}, "holds 7"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"title", 5}, {"members", {"bob"}}}, "title is 5"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"title", std::string(256, 't')}, {"members", {"bob"}}}, "ttt"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"title", std::string("a\0b", 3)}, {"members", {"bob"}}}, "\\u0000"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"avatar", std::string(1025, 'a')}, {"members", {"bob"}}}, "aaa"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"announcement", "yes"}, {"members", {"bob"}}}, "\"yes\""), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"members", std::vector<std::string>(1001, "bob")}}, "1001"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"members", {"bob", "zoe"}}}, "\"zoe\""), "not_found");
  EXPECT_EQ(refused("alice", op, {{"members", {"no name"}}}, "\"no name\""), "not_found");
  EXPECT_EQ(refused("alice", op, {{"user", "zoe"}}, "\"zoe\""), "not_found");
  EXPECT_EQ(refused("alice", op, {{"user", "a/b"}}, "\"a/b\""), "not_found");
  EXPECT_EQ(refused("alice", op, {{"user", 1}}, "user is 1"), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"user", "alice"}}, "\"alice\""), "bad_field");
  EXPECT_EQ(refused("alice", op, {{"user", "bob"}, {"members", {"bob"}}}, "members"), "bad_field");
  EXPECT_EQ(number("SELECT count(*) FROM conversations"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM request_answers"), 0) << "a refusal is not kept";
}

TEST_F(Conversations, StrangersSeeNothing) {
  const auto conv = group({"alice", "bob"});
  add_users({"eve"});
  const json here{{"conv", conv}};
  for (const auto& [operation, more] :
       std::vector<std::pair<std::string, json>>{{"conversation.get", {}},
                                                 {"conversation.update", {{"title", "x"}}},
                                                 {"conversation.leave", {}},
                                                 {"unread.get", {}},
                                                 {"member.add", {{"users", {"eve"}}}},
                                                 {"member.remove", {{"users", {"bob"}}}},
                                                 {"member.role", {{"user", "bob"}, {"role", "admin"}}},
                                                 {"member.list", {}},
                                                 {"history", {}},
                                                 {"message.delete", {{"to", 1}}},
                                                 {"receipt.list", {{"seq", 1}}},
                                                 {"settings.set", {{"muted", true}}}}) {
    json fields = here;
    if (more.is_object()) fields.update(more);
    EXPECT_EQ(refused("eve", operation, fields, "\"eve\""), "not_member") << operation;
    fields["conv"] = "g:nowhere";
    EXPECT_EQ(refused("alice", operation, fields, "\"g:nowhere\""), "not_found") << operation;
    fields["conv"] = "no conversation";
    EXPECT_EQ(refused("alice", operation, fields, "\"no conversation\""), "not_found") << operation;
    fields["conv"] = 3;
    EXPECT_EQ(refused("alice", operation, fields, "conv is 3"), "bad_field") << operation;
    fields.erase("conv");
    if (operation != "unread.get") {
      EXPECT_EQ(refused("alice", operation, fields, "conv is missing"), "bad_field") << operation;
    }
  }
}

TEST_F(Conversations, AnUpdateIsOneEventWithWhatChanged) {
  const auto conv = group({"alice", "bob"}, "Old");
  ask("alice", "conversation.update", {{"conv", conv}, {"title", "New"}, {"avatar", ""}, {"announcement", true}});
  auto all = events(conv);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1]["kind"], "conversation.updated");
  EXPECT_EQ(all[1]["title"], "New");
  EXPECT_EQ(all[1]["announcement"], true);
  EXPECT_FALSE(all[1].contains("avatar")) << "it was empty before";
  EXPECT_EQ(all[1]["by"], "alice");
  ask("alice", "conversation.update", {{"conv", conv}, {"title", "New"}});
  EXPECT_EQ(events(conv).size(), 2U) << "the same again is no event";
  ask("alice", "conversation.update", {{"conv", conv}, {"title", ""}});
  all = events(conv);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2]["title"], "");
  const auto got = ask("bob", "conversation.get", {{"conv", conv}});
  EXPECT_EQ(got["title"], "");
  EXPECT_EQ(got["last_rev"], 3);
}

TEST_F(Conversations, OnlyOwnerAndAdminsOfAGroupUpdate) {
  const auto conv = group({"alice", "bob"});
  const std::string op = "conversation.update";
  EXPECT_EQ(refused("bob", op, {{"conv", conv}, {"title", "x"}}, "\"bob\" is member"), "not_allowed");
  ask("alice", "member.role", {{"conv", conv}, {"user", "bob"}, {"role", "admin"}});
  ask("bob", op, {{"conv", conv}, {"title", "x"}});
  EXPECT_EQ(refused("bob", op, {{"conv", conv}}, "title is missing"), "bad_field");
  EXPECT_EQ(refused("bob", op, {{"conv", conv}, {"title", nullptr}}, "title is null"), "bad_field");
  const std::string direct = ask("alice", "conversation.create", {{"user", "bob"}})["conv"];
  EXPECT_EQ(refused("bob", op, {{"conv", direct}, {"title", "x"}}, direct), "not_allowed");
}

TEST_F(Conversations, AnOwnerWhoLeavesHandsTheGroupOn) {
  const auto conv = group({"alice", "bob", "carol", "dave"});
  now_ += 1000;
  ask("alice", "member.role", {{"conv", conv}, {"user", "dave"}, {"role", "admin"}});
  ask("alice", "conversation.leave", {{"conv", conv}});
  EXPECT_EQ(ask("dave", "conversation.get", {{"conv", conv}})["role"], "owner") << "an admin before a member";
  EXPECT_EQ(refused("alice", "conversation.get", {{"conv", conv}}, conv), "not_member");
  auto all = events(conv);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[2]["kind"], "member.removed");
  EXPECT_EQ(all[2]["user"], "alice");
  EXPECT_EQ(all[3]["kind"], "member.role");
  EXPECT_EQ(all[3]["user"], "dave");
  EXPECT_EQ(all[3]["role"], "owner");

  sql("UPDATE members SET joined_at = joined_at - 1 WHERE user_name = 'carol'");
  ask("dave", "conversation.leave", {{"conv", conv}});
  EXPECT_EQ(ask("carol", "conversation.get", {{"conv", conv}})["role"], "owner") << "the longest-serving member";
  ask("bob", "conversation.leave", {{"conv", conv}});
  EXPECT_EQ(ask("carol", "conversation.get", {{"conv", conv}})["members"], 1);
  ask("carol", "conversation.leave", {{"conv", conv}});
  EXPECT_EQ(number("SELECT count(*) FROM members"), 0);
  EXPECT_EQ(events(conv).size(), 8U);
  EXPECT_EQ(refused("carol", "conversation.leave", {{"conv", conv}}, "\"carol\""), "not_member");
}

TEST_F(Conversations, NobodyLeavesADirectOne) {
  add_users({"bob"});
  const std::string conv = ask("alice", "conversation.create", {{"user", "bob"}})["conv"];
  EXPECT_EQ(refused("alice", "conversation.leave", {{"conv", conv}}, conv), "not_allowed");
}

}  // namespace
}  // namespace chat::test
