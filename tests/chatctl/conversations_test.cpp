// Conversations and their members.
#include "storage/names.h"
#include "storage/store.h"
#include "tests/chatctl/ctl.h"

namespace chat::test {
namespace {

TEST_F(Ctl, CreatingAConversationPrintsItsNameAndNothingElse) {
  out({"user", "add", "alice", "bob", "carol"});
  auto name =
      out({"conversation", "create", "--title", "Böot 聊", "--owner", "alice", "--member", "bob", "--member", "carol"});
  ASSERT_FALSE(name.empty());
  EXPECT_EQ(name.back(), '\n');
  name.pop_back();
  EXPECT_TRUE(valid_conversation_name(name)) << name;
  const auto state = json({"conversation", "show", name});
  EXPECT_EQ(state["title"], "Böot 聊");
  EXPECT_EQ(state["kind"], "group");
  EXPECT_EQ(state["last_rev"], 1);
  ASSERT_EQ(state["members"].size(), 3U);
  EXPECT_EQ(state["members"][0],
            nlohmann::json::parse(R"({"user":"alice","role":"owner","join_seq":1,"join_rev":1,"read":0})"));
  EXPECT_EQ(state["members"][2]["role"], "member");
  EXPECT_TRUE(valid_conversation_name(json({"conversation", "create", "--owner", "bob"})["name"].get<std::string>()));
}

TEST_F(Ctl, AConversationOfStrangersIsRefused) {
  out({"user", "add", "alice"});
  EXPECT_TRUE(fails({"conversation", "create", "--owner", "zed"}, 1, "not_found: there is no user \"zed\""));
  EXPECT_TRUE(fails({"conversation", "create", "--owner", "alice", "--member", "zed"}, 1,
                    "not_found: there is no user \"zed\""));
  EXPECT_TRUE(fails({"conversation", "create", "--owner", "alice", "--title", std::string(256, 't')}, 1,
                    "bad_field: the title"));
  EXPECT_TRUE(fails({"conversation", "create", "--owner", "alice", "--title", "\xff"}, 1, "bad_field: "));
  EXPECT_TRUE(fails({"conversation", "create"}, 2, "--owner"));
  EXPECT_EQ(json({"conversation", "list"})["conversations"].size(), 0U);
}

TEST_F(Ctl, ShowMakesNoDirectConversation) {
  out({"user", "add", "alice", "bob"});
  EXPECT_TRUE(
      fails({"conversation", "show", "dm:alice:bob"}, 1, "not_found: there is no conversation \"dm:alice:bob\""));
  EXPECT_TRUE(fails({"conversation", "show", "g:none"}, 1, "not_found: "));
  EXPECT_EQ(json({"conversation", "list"})["conversations"].size(), 0U);
}

TEST_F(Ctl, ConversationsAreShownAndListedForPeople) {
  const auto name = group({"alice", "bob"});
  const auto shown = out({"conversation", "show", name});
  EXPECT_NE(shown.find("name          " + name + "\nkind          group\n"), std::string::npos) << shown;
  EXPECT_NE(
      shown.find("MEMBER  ROLE    SEES FROM  READ TO\nalice   owner   1          0\nbob     member  1          0\n"),
      std::string::npos)
      << shown;
  const auto list = out({"conversation", "list"});
  EXPECT_NE(list.find(name + "  group  2        0         -\n"), std::string::npos) << list;
}

TEST_F(Ctl, ATitleDrivesNoTerminal) {
  out({"user", "add", "alice"});
  auto name = out({"conversation", "create", "--owner", "alice", "--title", "a\x1b[31mb\nc"});
  name.pop_back();
  EXPECT_NE(out({"conversation", "list"}).find("a?[31mb?c\n"), std::string::npos);
  EXPECT_NE(out({"conversation", "show", name}).find("a?[31mb?c\n"), std::string::npos);
  EXPECT_EQ(json({"conversation", "show", name})["title"], "a\x1b[31mb\nc");
}

TEST_F(Ctl, MembersComeChangeTheirRoleAndGo) {
  const auto name = group({"alice", "bob"});
  out({"user", "add", "carol", "dave"});
  EXPECT_EQ(out({"member", "add", name, "carol", "dave", "--role", "admin", "--by", "alice"}),
            "added carol\nadded dave\n");
  EXPECT_EQ(out({"member", "add", name, "carol", "--role", "owner"}), "added carol\n");
  EXPECT_EQ(json({"member", "remove", name, "bob"}), nlohmann::json({{"conversation", name}, {"removed", {"bob"}}}));
  const auto state = json({"conversation", "show", name});
  ASSERT_EQ(state["members"].size(), 3U);
  EXPECT_EQ(state["members"][1]["role"], "owner");
  EXPECT_EQ(state["members"][2]["role"], "admin");
  EXPECT_EQ(state["last_rev"], 5);
  const auto store = open_postgres(uri_, "test");
  const auto events = store->events_above(store->find_conversation(name)->id, 1, 10);
  ASSERT_EQ(events.size(), 4U);
  const auto added = nlohmann::json::parse(events[0].payload);
  EXPECT_EQ(added["kind"], "member.added");
  EXPECT_EQ(added["by"], "alice");
  EXPECT_GT(added["server_time"], 1'700'000'000'000);
}

TEST_F(Ctl, ChangesOfMembersThatCannotBeAreRefused) {
  const auto name = group({"alice", "bob"});
  open_postgres(uri_, "test")->load_conversation("dm:alice:bob", {});
  EXPECT_TRUE(fails({"member", "add", name, "zed"}, 1, "not_found: there is no user \"zed\""));
  EXPECT_TRUE(fails({"member", "add", "g:none", "alice"}, 1, "not_found: there is no conversation \"g:none\""));
  EXPECT_TRUE(fails({"member", "remove", name, "zed"}, 1, "not_found: \"zed\" is not in"));
  EXPECT_TRUE(fails({"member", "add", "dm:alice:bob", "alice"}, 1, "not_allowed: "));
  EXPECT_TRUE(fails({"member", "remove", "dm:alice:bob", "alice"}, 1, "not_allowed: "));
  EXPECT_TRUE(fails({"member", "add", name, "bob", "--role", "king"}, 2, "king"));
  EXPECT_EQ(json({"conversation", "show", name})["last_rev"], 1);
}

}  // namespace
}  // namespace chat::test
