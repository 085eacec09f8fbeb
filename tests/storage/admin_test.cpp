// What the admin tool may do and what it is refused, each refusal with the value that offends.
#include <gtest/gtest.h>

#include "storage/names.h"
#include "tests/storage/both_stores.h"

namespace chat::test {
namespace {

class Admin : public BothStores {
 protected:
  // Whether `call` is refused with `code` and names `value`.
  template <typename Call>
  testing::AssertionResult refused(Call call, const std::string& code, const std::string& value) {
    const auto answer = refusal(call);
    if (answer.code == code && answer.sentence.find(value) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "got \"" << answer.code << ": " << answer.sentence << "\", not " << code
                                       << " about " << value;
  }
};
CHAT_ON_BOTH_STORES(Admin);

TEST_P(Admin, UsersAreListedInByteOrderPageByPage) {
  for (const auto* name : {"bob", "alice", "Zoe", "a.b", "a-b"}) store().add_user(name);
  std::vector<std::string> names;
  std::string after;
  for (auto page = store().list_users(after, 2); !page.empty(); page = store().list_users(after, 2)) {
    ASSERT_LE(page.size(), 2U);
    for (const auto& user : page) names.push_back(user.name);
    after = names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Zoe", "a-b", "a.b", "alice", "bob"}));
  EXPECT_GT(store().list_users("", 1).at(0).created_at, now_ / 2);
  EXPECT_TRUE(store().list_users("", 0).empty());
}

TEST_P(Admin, AUserThatExistsOrIsNoNameIsRefused) {
  store().add_user("alice");
  EXPECT_TRUE(refused([&] { store().add_user("alice"); }, "id_conflict", "alice"));
  EXPECT_TRUE(refused([&] { store().add_user("al ice"); }, "bad_field", "al ice"));
  EXPECT_TRUE(refused([&] { store().add_user(""); }, "bad_field", "\"\""));
  EXPECT_TRUE(refused([&] { store().add_user(std::string(65, 'x')); }, "bad_field", "xxx"));
}

TEST_P(Admin, AGroupHasItsOwnerAndItsMembersOnce) {
  for (const auto* name : {"alice", "bob", "carol"}) store().add_user(name);
  const std::vector<std::string> members{"bob", "alice", "bob", "carol"};
  const auto name = store().create_group("Böot 聊 \"team\"", "alice", members, now_);
  EXPECT_TRUE(valid_conversation_name(name)) << name;
  const auto state = load(name);
  EXPECT_EQ(state.kind, ConversationKind::kGroup);
  EXPECT_EQ(state.title, "Böot 聊 \"team\"");
  EXPECT_EQ(state.last_rev, 1);
  EXPECT_EQ(state.members,
            (std::vector<Member>{
                {"alice", Role::kOwner, 1, 1, 0}, {"bob", Role::kMember, 1, 1, 0}, {"carol", Role::kMember, 1, 1, 0}}));
  const auto row = store().list_conversations("", 10).at(0);
  EXPECT_EQ(row.name, name);
  EXPECT_EQ(row.members, 3);
  EXPECT_EQ(store().list_users("", 1).at(0).conversations, 1);
  EXPECT_TRUE(store().list_conversations(name, 10).empty());
}

TEST_P(Admin, AGroupOfStrangersIsRefusedAndNotMade) {
  store().add_user("alice");
  const std::vector<std::string> members{"alice", "zed", "bob"};
  EXPECT_TRUE(refused([&] { store().create_group("", "nobody", members, now_); }, "not_found", "nobody"));
  EXPECT_TRUE(refused([&] { store().create_group("", "alice", members, now_); }, "not_found", "zed"));
  EXPECT_TRUE(refused([&] { store().create_group(std::string(256, 't'), "alice", {}, now_); }, "bad_field", "ttt"));
  EXPECT_TRUE(store().list_conversations("", 10).empty());
}

TEST_P(Admin, WhoJoinsSeesFromHereOn) {
  const auto conv = group({"alice", "bob"});
  store().add_user("carol");
  commit({.messages = {message(conv, 1, "alice", now_), message(conv, 2, "bob", now_)}});
  store().add_member(conv.name, "carol", Role::kAdmin, "alice", now_);
  EXPECT_EQ(member(conv.name, "carol"), (Member{"carol", Role::kAdmin, 3, 2, 0}));
  EXPECT_EQ(load(conv.name).last_rev, 2);
}

TEST_P(Admin, AddingAMemberAgainChangesNothingButTheRole) {
  const auto conv = group({"alice", "bob"});
  store().add_member(conv.name, "bob", Role::kMember, "alice", now_);
  EXPECT_EQ(load(conv.name), conv);
  store().add_member(conv.name, "bob", Role::kOwner, "alice", now_);
  EXPECT_EQ(member(conv.name, "bob").role, Role::kOwner);
  EXPECT_EQ(member(conv.name, "bob").join_rev, 1);
  EXPECT_EQ(load(conv.name).last_rev, 2);
}

TEST_P(Admin, ChangesOfMembersAreRefusedByName) {
  const auto conv = group({"alice", "bob"});
  const auto direct = store().load_conversation("dm:alice:bob", {}).value();
  store().add_user("carol");
  EXPECT_TRUE(refused([&] { store().add_member("g:none", "carol", Role::kMember, "", now_); }, "not_found", "g:none"));
  EXPECT_TRUE(refused([&] { store().add_member(conv.name, "zed", Role::kMember, "", now_); }, "not_found", "zed"));
  EXPECT_TRUE(
      refused([&] { store().add_member(direct.name, "carol", Role::kMember, "", now_); }, "not_allowed", direct.name));
  EXPECT_TRUE(refused([&] { store().remove_member(direct.name, "bob", "", now_); }, "not_allowed", direct.name));
  EXPECT_TRUE(refused([&] { store().remove_member("g:none", "bob", "", now_); }, "not_found", "g:none"));
  EXPECT_TRUE(refused([&] { store().remove_member(conv.name, "carol", "", now_); }, "not_found", "carol"));
  EXPECT_EQ(load(conv.name), conv);
  EXPECT_EQ(load(direct.name), direct);
}

TEST_P(Admin, DeviceSettingsChangeOneByOne) {
  store().add_user("alice");
  store().set_device("alice", "phone", {.replay = Replay::kNewest, .replay_limit = {}, .ack = {}});
  const auto row = store().set_device("alice", "phone", {.replay = {}, .replay_limit = 42, .ack = {}});
  EXPECT_EQ(row.settings, (DeviceSettings{Replay::kNewest, 42, std::nullopt}));
  store().set_device("alice", "a tablet", {.replay = {}, .replay_limit = {}, .ack = AckMode::kAuto});
  const auto all = store().devices("alice", "");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].device, "a tablet");
  EXPECT_EQ(all[1].settings, row.settings);
  EXPECT_EQ(store().devices("alice", "phone").size(), 1U);
  EXPECT_TRUE(store().devices("alice", "watch").empty());
}

TEST_P(Admin, DeviceSettingsOutOfBoundsAreRefused) {
  store().add_user("alice");
  EXPECT_TRUE(refused([&] { store().set_device("alice", "phone", {.replay = {}, .replay_limit = 0, .ack = {}}); },
                      "bad_field", "0"));
  EXPECT_TRUE(refused([&] { store().set_device("alice", "phone", {.replay = {}, .replay_limit = 10'001, .ack = {}}); },
                      "bad_field", "10001"));
  EXPECT_TRUE(
      refused([&] { store().set_device("alice", "", {.replay = Replay::kFull, .replay_limit = {}, .ack = {}}); },
              "bad_field", "\"\""));
  EXPECT_TRUE(
      refused([&] { store().set_device("zed", "phone", {.replay = Replay::kFull, .replay_limit = {}, .ack = {}}); },
              "not_found", "zed"));
  EXPECT_TRUE(store().devices("alice", "").empty());
}

TEST_P(Admin, StatusCountsWhatIsThere) {
  const auto conv = group({"alice", "bob"});
  commit({.messages = {message(conv, 1, "alice", now_)},
          .commands = {{7, conv.id, "recall", "alice", "phone", now_, R"({"seq":1})"}}});
  const auto status = store().status();
  EXPECT_EQ(status.users, 2);
  EXPECT_EQ(status.conversations, 1);
  EXPECT_EQ(status.commands_waiting, 1);
  ASSERT_EQ(status.journals.size(), 1U);
  EXPECT_EQ(status.journals[0].id, "01020300-0000-0000-0000-000000000000");
  EXPECT_EQ(status.journals[0].position, 100U);
  EXPECT_GT(status.journals[0].committed_at, now_ / 2);
}

}  // namespace
}  // namespace chat::test
