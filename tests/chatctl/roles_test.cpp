// The roles of the database, and where chatctl gets its own connection from.
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/chatctl/ctl.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

class CtlRoles : public Ctl {
 protected:
  CtlRoles() { fs::create_directory(folder_); }
  ~CtlRoles() override { fs::remove_all(folder_); }

  // Of the roles, as --passwords wants it.
  std::string passwords() const {
    for (const auto* role : {"chat_plugin", "chat_bridge", "chat_admin"}) {
      file(std::string(role) + "-password", "secret-of-" + std::string(role));
    }
    return folder_;
  }

  std::string file(const std::string& name, const std::string& line) const {
    std::ofstream(folder_ / name) << line << "\n";
    return folder_ / name;
  }

  const fs::path folder_ = PrivatePostgres::shared().folder() + "/roles";
};

TEST_F(CtlRoles, AreMadeOnceAndGetTheirRightsFromMigrate) {
  EXPECT_EQ(json({"roles"})["made"], nlohmann::json::parse(R"(["chat_plugin", "chat_bridge", "chat_admin"])"));
  EXPECT_EQ(json({"roles"})["made"], nlohmann::json::array());
  EXPECT_NE(out({"migrate"}).find("the roles have their rights\n"), std::string::npos);
  uri_ = std::regex_replace(uri_, std::regex("user=postgres"), "user=chat_admin");
  const auto group = this->group({"alice", "bob", "carol"});
  out({"member", "remove", group, "carol"});
  out({"device", "set", "alice", "phone", "--ack", "auto"});
  EXPECT_EQ(json({"conversation", "show", group})["members"].size(), 2U);
  EXPECT_EQ(json({"status"})["users"], 3);
  EXPECT_TRUE(fails({"migrate"}, 3, "permission denied"));
  EXPECT_TRUE(fails({"roles", "--passwords", passwords()}, 3, "permission denied"));
}

TEST_F(CtlRoles, GetTheirPasswordsFromAFolder) {
  EXPECT_TRUE(fails({"roles", "--passwords", folder_}, 1, "chat_plugin-password can't be read"));
  EXPECT_NE(out({"roles", "--passwords", passwords()}).find("set the roles' passwords\n"), std::string::npos);
  EXPECT_EQ(PrivatePostgres::shared().number(
                uri_, "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'chat\\_%' AND rolpassword LIKE 'SCRAM%'"),
            3);
}

TEST_F(CtlRoles, TheSqlCanBeReadFirst) {
  uri_.clear();
  const auto sql = out({"roles", "--print"});
  uri_ = PrivatePostgres::shared().migrated_database();
  PrivatePostgres::shared().run_sql(uri_, sql);
  EXPECT_EQ(json({"roles"})["made"], nlohmann::json::array());
}

TEST_F(CtlRoles, AConnectionStringMayStandInAFile) {
  const auto uri = uri_;
  uri_.clear();
  EXPECT_EQ(out({"--postgres-file", file("uri", uri), "user", "add", "alice"}), "added alice\n");
  EXPECT_TRUE(fails({"--postgres-file", (folder_ / "none").string(), "user", "list"}, 2, "none can't be read"));
  uri_ = "postgresql://127.0.0.1:1/none";
  EXPECT_EQ(out({"--postgres-file", file("uri", uri), "user", "list"}).find("NAME"), 0U)
      << "the environment went first";
}

TEST_F(CtlRoles, AnUnreadableConnectionStringIsNotShown) {
  for (const auto* wrong : {"postgresql://chat:x/canary@host/chat", "host=db canary", "postgresql:/chat:canary@host"}) {
    uri_ = wrong;
    EXPECT_TRUE(fails({"user", "list"}, 2, "can't be read"));
    EXPECT_EQ(run({"user", "list"}).err.find("canary"), std::string::npos);
  }
}

}  // namespace
}  // namespace chat::test
