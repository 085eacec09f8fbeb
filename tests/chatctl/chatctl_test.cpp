// The command line itself, users, devices, migrate and status.
#include "storage/store.h"
#include "tests/chatctl/ctl.h"

namespace chat::test {
namespace {

TEST_F(Ctl, AWrongCommandLineEndsWith2) {
  EXPECT_TRUE(fails({}, 2, "subcommand"));
  EXPECT_TRUE(fails({"user"}, 2, "subcommand"));
  EXPECT_TRUE(fails({"user", "add"}, 2, "NAME"));
  EXPECT_TRUE(fails({"user", "list", "--wrong"}, 2, "--wrong"));
  EXPECT_TRUE(fails({"device", "set", "alice", "phone"}, 2, "at least one of"));
  EXPECT_TRUE(fails({"device", "set", "alice", "phone", "--ack", "maybe"}, 2, "maybe"));
  EXPECT_TRUE(fails({"device", "set", "alice", "phone", "--limit", "many"}, 2, "many"));
  uri_.clear();
  EXPECT_TRUE(fails({"user", "list"}, 2, "--postgres"));
}

TEST_F(Ctl, HelpAndVersionNeedNoDatabase) {
  uri_.clear();
  EXPECT_NE(out({"--help"}).find("conversation"), std::string::npos);
  EXPECT_NE(out({"conversation", "create", "--help"}).find("--owner"), std::string::npos);
  EXPECT_NE(out({"--version"}).find('.'), std::string::npos);
}

TEST_F(Ctl, NoDatabaseEndsWith3) {
  EXPECT_TRUE(fails({"--postgres", "postgresql://127.0.0.1:1/none", "user", "list"}, 3, "unavailable: PostgreSQL: "));
  EXPECT_TRUE(fails({"user", "list", "--postgres", "postgresql://127.0.0.1:1/none"}, 3, "unavailable: "));
  uri_ = PrivatePostgres::shared().empty_database();
  EXPECT_TRUE(fails({"user", "list"}, 3, "chatctl migrate"));
}

TEST_F(Ctl, UsersAreAddedAndListed) {
  EXPECT_EQ(out({"user", "add", "bob", "alice"}), "added bob\nadded alice\n");
  const auto table = out({"user", "list"});
  EXPECT_EQ(table.find("NAME   CONVERSATIONS  CREATED\nalice  0              20"), 0U) << table;
  const auto users = json({"user", "list"})["users"];
  ASSERT_EQ(users.size(), 2U);
  EXPECT_EQ(users[0]["name"], "alice");
  EXPECT_EQ(users[1]["conversations"], 0);
  EXPECT_GT(users[1]["created_at"], 1'700'000'000'000);
}

TEST_F(Ctl, AUserThatExistsIsRefusedUnlessThatIsFine) {
  out({"user", "add", "alice"});
  EXPECT_TRUE(fails({"user", "add", "alice"}, 1, "id_conflict: the user \"alice\" exists already"));
  EXPECT_EQ(out({"user", "add", "--if-missing", "alice", "bob"}), "there already: alice\nadded bob\n");
  EXPECT_EQ(json({"user", "add", "--if-missing", "alice", "carol"})["users"],
            nlohmann::json::parse(R"([{"name":"alice","added":false},{"name":"carol","added":true}])"));
}

TEST_F(Ctl, ABadNameIsRefusedBeforeAnyIsAdded) {
  EXPECT_TRUE(fails({"user", "add", "alice", "no good"}, 1, "bad_field: the user name \"no good\""));
  EXPECT_EQ(json({"user", "list"})["users"].size(), 0U);
}

TEST_F(Ctl, MoreUsersThanAPageAreAllListed) {
  std::vector<std::string> add{"user", "add"};
  for (int i = 0; i < 1001; ++i) add.push_back("user" + std::to_string(10'000 + i));
  out(add);
  const auto users = json({"user", "list"})["users"];
  ASSERT_EQ(users.size(), 1001U);
  EXPECT_EQ(users[1000]["name"], "user11000");
}

TEST_F(Ctl, DeviceSettingsAreSetAndShown) {
  out({"user", "add", "alice"});
  EXPECT_EQ(json({"device", "show", "alice"})["devices"].size(), 0U);
  out({"device", "set", "alice", "a phone", "--replay", "newest", "--limit", "5"});
  const auto row = json({"device", "set", "alice", "a phone", "--ack", "auto"})["devices"][0];
  EXPECT_EQ(row["replay"], "newest");
  EXPECT_EQ(row["limit"], 5);
  EXPECT_EQ(row["ack"], "auto");
  EXPECT_EQ(row["first_seen"], 0);
  out({"device", "set", "alice", "tablet", "--ack", "client"});
  const auto table = out({"device", "show", "alice"});
  EXPECT_EQ(table.find("USER   REPLAY   LIMIT    ACK     FIRST SEEN  LAST SEEN  DEVICE\nalice  newest   5        auto  "
                       "  -           -          a phone\n"),
            0U)
      << table;
  EXPECT_TRUE(json({"device", "show", "alice", "tablet"})["devices"][0]["limit"].is_null());
}

TEST_F(Ctl, DevicesThatAreNotThereAreRefused) {
  out({"user", "add", "alice"});
  EXPECT_TRUE(fails({"device", "show", "alice", "phone"}, 1, "not_found: "));
  EXPECT_TRUE(fails({"device", "show", "zed"}, 1, "not_found: there is no user \"zed\""));
  EXPECT_TRUE(fails({"device", "set", "zed", "phone", "--ack", "auto"}, 1, "not_found: there is no user \"zed\""));
  EXPECT_TRUE(fails({"device", "set", "alice", "phone", "--limit", "0"}, 1, "bad_field: the replay limit 0"));
}

TEST_F(Ctl, MigrateBringsAnEmptyDatabaseUpAndIsSafeToRepeat) {
  uri_ = PrivatePostgres::shared().empty_database();
  const auto version = std::to_string(latest_schema_version());
  const auto first = out({"migrate"});
  EXPECT_EQ(first.find("applied migration 1\n"), 0U) << first;
  EXPECT_NE(first.find("the schema is at version " + version + "\n"), std::string::npos) << first;
  EXPECT_EQ(out({"migrate"}), "the schema is at version " + version +
                                  "\nno rights given: there is no role chat_plugin (`chatctl roles` makes it)\n");
  EXPECT_EQ(json({"migrate"}), (nlohmann::json{{"version", latest_schema_version()},
                                               {"applied", nlohmann::json::array()},
                                               {"roles_missing", {"chat_plugin", "chat_bridge", "chat_admin"}}}));
  EXPECT_EQ(out({"user", "add", "alice"}), "added alice\n");
}

TEST_F(Ctl, StatusSaysWhatIsThere) {
  group({"alice", "bob"});
  Batch batch;
  batch.journal = {0xab};
  batch.to = 4096;
  open_postgres(uri_, "test")->commit(batch);
  const auto text = out({"status"});
  EXPECT_NE(text.find("users             2\nconversations     1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("ab000000-0000-0000-0000-000000000000  4096          20"), std::string::npos) << text;
  const auto status = json({"status"});
  EXPECT_EQ(status["schema_version"], latest_schema_version());
  EXPECT_EQ(status["users"], 2);
  EXPECT_EQ(status["commands_waiting"], 0);
  EXPECT_EQ(status["journals"][0]["position"], 4096);
}

}  // namespace
}  // namespace chat::test
