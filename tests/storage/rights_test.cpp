// Who may do what in the database. What PostgreSQL itself says of each role, table and column is compared with the
// lists in SECURITY.md, so that neither changes without the other; and the refusals that matter most are tried.
//
// A list there is a table below a heading "### `role`", a row a database table: "read", "add", "change" and "remove"
// are SELECT, INSERT, UPDATE and DELETE; behind a colon, the only columns for which that holds.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <pqxx/pqxx>
#include <regex>
#include <set>
#include <string>

#include "storage/errors.h"
#include "storage/roles.h"
#include "storage/store.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {
namespace {

using Lists = std::map<std::string, std::map<std::string, std::string>>;  // by role, then table

constexpr const char* kEverything =
    "SELECT r.name, t.relname, concat_ws('; ', "
    "  (SELECT string_agg(p.word || CASE WHEN has_table_privilege(r.name, t.oid, p.privilege) THEN '' "
    "                               ELSE ': ' || p.columns END, '; ' ORDER BY p.n) "
    "   FROM (SELECT v.n, v.word, v.privilege, (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute "
    "a "
    "           WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "           AND has_column_privilege(r.name, t.oid, a.attnum, v.privilege)) AS columns "
    "         FROM (VALUES (1, 'read', 'SELECT'), (2, 'add', 'INSERT'), (3, 'change', 'UPDATE')) "
    "           AS v (n, word, privilege)) p WHERE p.columns IS NOT NULL), "
    "  CASE WHEN has_table_privilege(r.name, t.oid, 'DELETE') THEN 'remove' END, "
    "  CASE WHEN has_table_privilege(r.name, t.oid, 'TRUNCATE') THEN 'EMPTY' END, "
    "  CASE WHEN has_table_privilege(r.name, t.oid, 'REFERENCES') THEN 'REFER' END, "
    "  CASE WHEN has_table_privilege(r.name, t.oid, 'TRIGGER') THEN 'TRIGGER' END) "
    "FROM pg_class t CROSS JOIN unnest(ARRAY['chat_plugin', 'chat_bridge', 'chat_admin']) AS r (name) "
    "WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p', 'v', 'm') AND NOT t.relispartition";

Lists documented() {
  static const std::regex kHeading("### `(chat_[a-z]+)`.*");
  static const std::regex kRow(R"(\| `([a-z_]+)` \| (.+) \|)");
  Lists lists;
  std::ifstream page(CHAT_TEST_SOURCE_DIR "/SECURITY.md");
  std::string role;
  std::smatch found;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("#")) role = std::regex_match(line, found, kHeading) ? found[1].str() : "";
    if (!role.empty() && std::regex_match(line, found, kRow)) lists[role][found[1]] = found[2];
  }
  return lists;
}

// The tables' owner is no superuser, as it should be everywhere.
class Rights : public testing::Test {
 protected:
  Rights() {
    const auto name = admin_.substr(admin_.find("///") + 3, admin_.find('?') - admin_.find("///") - 3);
    server_.run_sql(admin_, "DO $$ BEGIN CREATE ROLE the_owner LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
    server_.run_sql(admin_, "ALTER DATABASE " + name + " OWNER TO the_owner");
    make_roles(admin_, {});
    migrate_postgres(owner_);
    EXPECT_TRUE(grant_rights(owner_).empty());
  }

  // Roles are the whole server's, which the next test may have as well.
  void TearDown() override {
    server_.run_sql(admin_,
                    "ALTER ROLE chat_bridge NOCREATEROLE; DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = "
                    "'somebody') THEN ALTER ROLE somebody RENAME TO chat_admin; END IF; END $$");
  }

  std::string as(const std::string& role) const {
    return std::regex_replace(admin_, std::regex("user=postgres"), "user=" + role);
  }

  // Empty, or what PostgreSQL says against it. Whatever it does is taken back.
  std::string refusal(const std::string& role, const std::string& sql) const {
    try {
      pqxx::connection connection(as(role));
      pqxx::work(connection).exec(sql);
      return {};
    } catch (const pqxx::insufficient_privilege& error) {
      return error.what();
    }
  }

  Lists held() const {
    Lists lists;
    pqxx::connection connection(admin_);
    for (const auto& row : pqxx::nontransaction(connection).exec(kEverything)) {
      auto& rights = lists[row[0].c_str()];
      if (row[2].size() > 0) rights[row[1].c_str()] = row[2].c_str();
    }
    return lists;
  }

  std::string count(const std::string& sql) const { return std::to_string(server_.number(admin_, sql)); }

  PrivatePostgres& server_ = PrivatePostgres::shared();
  const std::string admin_ = server_.empty_database();
  const std::string owner_ = as("the_owner");
};

TEST_F(Rights, AreThoseThatAreDocumented) {
  const auto documented_lists = documented();
  std::set<std::string> decided;
  for (const auto& [role, rights] : held()) {
    const auto list = documented_lists.find(role);
    ASSERT_NE(list, documented_lists.end()) << "SECURITY.md has no list of " << role;
    for (const auto& [table, right] : rights) {
      decided.insert(table);
      const auto row = list->second.find(table);
      const auto written = row == list->second.end() ? std::string("nothing") : row->second;
      EXPECT_EQ(right, written) << role << " on " << table << "; instead: | `" << table << "` | " << right << " |";
    }
    for (const auto& [table, right] : list->second) {
      EXPECT_TRUE(rights.contains(table))
          << role << " has no right on " << table << ", and SECURITY.md says: " << right;
    }
  }
  pqxx::connection connection(admin_);
  for (const auto& row : pqxx::nontransaction(connection)
                             .exec("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "
                                   "relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition")) {
    EXPECT_TRUE(decided.contains(row[0].c_str())) << "nobody may use the table " << row[0].c_str()
                                                  << ": decide in storage/grants.sql and SECURITY.md who does what";
  }
}

TEST_F(Rights, NobodyButTheOwnerChangesTheSchema) {
  for (const auto role : kProgramRoles) {
    const std::string name(role);
    for (const std::string sql :
         {"CREATE TABLE mine (n int)", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "ALTER TABLE messages ADD COLUMN mine int", "DROP TABLE voids", "TRUNCATE outgoing",
          "CREATE INDEX ON messages (type)", "CREATE SCHEMA mine", "ALTER TABLE messages DISABLE TRIGGER ALL",
          "CREATE ROLE mine", "COPY users TO PROGRAM 'true'", "SELECT pg_read_file('/etc/hostname')"}) {
      EXPECT_NE(refusal(name, sql), "") << name << ": " << sql;
    }
  }
  EXPECT_EQ(refusal("the_owner", "CREATE TABLE mine (n int)"), "");
}

TEST_F(Rights, WhatAProgramMustNotDoIsRefused) {
  // It may not rewrite what was said, read profiles, or see anybody's drafts.
  EXPECT_NE(refusal("chat_plugin", "UPDATE messages SET payload = ''"), "");
  EXPECT_NE(refusal("chat_plugin", "DELETE FROM messages"), "");
  EXPECT_NE(refusal("chat_plugin", "SELECT about FROM users"), "");
  EXPECT_NE(refusal("chat_plugin", "SELECT draft FROM members"), "");
  EXPECT_NE(refusal("chat_plugin", "UPDATE members SET role = 2"), "");
  EXPECT_NE(refusal("chat_plugin", "DELETE FROM members"), "");
  // It gives no number, adds no message, and can't read recalled texts that are kept for audits.
  EXPECT_NE(refusal("chat_bridge", "UPDATE conversations SET last_seq = 1"), "");
  EXPECT_NE(refusal("chat_bridge", "UPDATE messages SET seq = 1"), "");
  EXPECT_NE(refusal("chat_bridge", "UPDATE messages SET sender = 'bob'"), "");
  EXPECT_NE(refusal("chat_bridge", "INSERT INTO messages DEFAULT VALUES"), "");
  EXPECT_NE(refusal("chat_bridge", "DELETE FROM messages"), "");
  EXPECT_NE(refusal("chat_bridge", "SELECT payload FROM recalled_messages"), "");
  EXPECT_NE(refusal("chat_bridge", "SELECT position FROM journals"), "");
  // It reads no message, profile or draft.
  EXPECT_NE(refusal("chat_admin", "SELECT payload FROM messages"), "");
  EXPECT_NE(refusal("chat_admin", "SELECT words FROM message_words"), "");
  EXPECT_NE(refusal("chat_admin", "SELECT payload FROM events"), "");
  EXPECT_NE(refusal("chat_admin", "SELECT payload FROM commands"), "");
  EXPECT_NE(refusal("chat_admin", "SELECT about FROM users"), "");
  EXPECT_NE(refusal("chat_admin", "DELETE FROM users"), "");
}

TEST_F(Rights, TheFunctionsArePublicToNobody) {
  EXPECT_EQ(count("SELECT count(*) FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE "
                  "pronamespace = 'public'::regnamespace AND a.grantee = 0"),
            "0");
  EXPECT_EQ(count("SELECT count(*) FROM pg_namespace, aclexplode(nspacl) a WHERE nspname = 'public' AND a.grantee = 0"),
            "0");
  EXPECT_EQ(count("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"), "2");
  EXPECT_EQ(count("SELECT count(*) FROM pg_proc WHERE prosecdef AND proname IN ('chat_make_month', "
                  "'chat_make_words_month') AND 'search_path=public, pg_temp' = ANY (proconfig)"),
            "2");
}

// A month that comes later is its maker's to use, and nobody's who could not use the others.
TEST_F(Rights, NewMonthsAreMadeForWhoNeedsThem) {
  server_.run_sql(as("chat_plugin"),
                  "SELECT chat_make_month(1893456000000);"
                  "INSERT INTO messages (conv_id, seq, server_time, mid, type, sender, payload) "
                  "VALUES (1, 1, 1893456000001, gen_random_uuid(), 0, 'alice', '{}')");
  server_.run_sql(as("chat_bridge"),
                  "SELECT chat_make_words_month(1893456000000); SELECT FROM message_words_2030_01;"
                  "INSERT INTO message_words VALUES (1, 1, 1893456000001, '''x''')");
  EXPECT_NE(refusal("chat_plugin", "SELECT FROM messages_2030_01"), "");
  EXPECT_NE(refusal("chat_plugin", "SELECT FROM message_words_2030_01"), "");
  EXPECT_NE(refusal("chat_admin", "SELECT FROM message_words_2030_01"), "");
  EXPECT_NE(refusal("chat_bridge", "DELETE FROM message_words_2030_01"), "");
  EXPECT_NE(refusal("chat_bridge", "SELECT chat_make_month(0)"), "");
  EXPECT_TRUE(grant_rights(owner_).empty());
  EXPECT_EQ(refusal("chat_bridge", "SELECT FROM message_words_2030_01"), "");
}

// What runs with the owner's rights can't be led to a table of the caller's.
TEST_F(Rights, ATemporaryTableDoesNotDeceiveTheMakerOfMonths) {
  server_.run_sql(as("chat_plugin"),
                  "CREATE TEMP TABLE messages (n int); CREATE TEMP TABLE pg_class (n int);"
                  "SELECT chat_make_month(1896134400000)");
  EXPECT_EQ(count("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'public.messages_2030_02'::regclass AND "
                  "inhparent = 'public.messages'::regclass"),
            "1");
}

TEST_F(Rights, AreSetAnewWhateverTheyWere) {
  const auto before = held();
  server_.run_sql(owner_,
                  "GRANT DELETE ON messages TO chat_plugin; GRANT UPDATE (sender) ON messages TO chat_bridge;"
                  "GRANT SELECT ON messages TO PUBLIC; REVOKE SELECT ON members FROM chat_bridge");
  EXPECT_NE(held(), before);
  EXPECT_TRUE(grant_rights(owner_).empty());
  EXPECT_EQ(held(), before);
}

TEST_F(Rights, WithoutTheRolesNothingIsChanged) {
  server_.run_sql(admin_, "ALTER ROLE chat_admin RENAME TO somebody");
  server_.run_sql(owner_, "GRANT DELETE ON messages TO chat_plugin");
  EXPECT_EQ(grant_rights(owner_), std::vector<std::string>{"chat_admin"});
  EXPECT_EQ(refusal("chat_plugin", "DELETE FROM messages"), "");
}

TEST_F(Rights, ARoleThatMayTooMuchIsNotUsed) {
  server_.run_sql(admin_, "ALTER ROLE chat_bridge CREATEROLE");
  try {
    make_roles(admin_, {});
    FAIL() << "took it";
  } catch (const StoreRefused& refused) {
    EXPECT_EQ(refused.code(), "not_allowed");
    EXPECT_NE(std::string(refused.what()).find("\"chat_bridge\""), std::string::npos) << refused.what();
  }
}

TEST_F(Rights, WhoMayNotMakeRolesIsTold) {
  server_.run_sql(admin_, "ALTER ROLE chat_admin RENAME TO somebody");
  EXPECT_THROW(make_roles(owner_, {}), StoreUnavailable);
}

TEST_F(Rights, APasswordReachesTheServerHashed) {
  const auto uri = admin_ + "&options=-c%20log_statement%3Dall";
  EXPECT_TRUE(make_roles(uri, {{"chat_plugin", "canary-7f3a"}, {"chat_admin", "canary-8b1c"}}).empty());
  EXPECT_EQ(count("SELECT count(*) FROM pg_authid WHERE rolname LIKE 'chat\\_%' AND rolpassword LIKE "
                  "'SCRAM-SHA-256$4096:%'"),
            "2");
  std::ifstream file(server_.folder() + "/log");
  const std::string log{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(log.find("ALTER ROLE \"chat_plugin\" PASSWORD 'SCRAM"), std::string::npos) << "the log shows no statements";
  EXPECT_EQ(log.find("canary"), std::string::npos);
}

}  // namespace
}  // namespace chat::test
