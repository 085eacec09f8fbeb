// receipt.list
#include <algorithm>

#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using Receipts = RequestSuite;

TEST_F(Receipts, TellWhoHasReceivedAndReadAMessage) {
  const auto conv = group({"alice", "bob", "carol", "dave"});
  send_many(conv, "alice", 3);
  deliver(conv, "bob", 1, "phone");
  deliver(conv, "bob", 3, "tablet");
  deliver(conv, "carol", 1);
  read(conv, "carol", 2);
  add_users({"erin"});
  ask("alice", "member.add", {{"conv", conv}, {"users", {"erin"}}});
  const auto list = [&](Seq seq) {
    auto got = ask("alice", "receipt.list", {{"conv", conv}, {"seq", seq}});
    EXPECT_EQ(got["members"], 3) << "neither the sender, nor one who may not see it";
    return got;
  };
  const auto row = [](const char* user, bool delivered, bool read) {
    return json{{"user", user}, {"delivered", delivered}, {"read", read}};
  };
  EXPECT_EQ(list(1)["receipts"], json({row("bob", true, false), row("carol", true, true), row("dave", false, false)}));
  EXPECT_EQ(list(1)["read"], 1);
  EXPECT_EQ(list(3)["receipts"],
            json({row("bob", true, false), row("carol", false, false), row("dave", false, false)}));
  EXPECT_EQ(list(3)["read"], 0);
  EXPECT_EQ(list(2)["receipts"][1], row("carol", true, true)) << "read implies delivered";
}

TEST_F(Receipts, PagesInALargeGroupGiveEachMemberExactlyOnce) {
  const auto conv = group({"alice"});
  sql("INSERT INTO users SELECT 'm-' || to_char(n, 'FM0000'), 0 FROM generate_series(1, 5000) n");
  sql("INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at, read_seq) "
      "SELECT (SELECT id FROM conversations), name, 1, 1, 1, CASE WHEN name < 'm-2000' THEN 1 ELSE 0 END "
      "FROM users WHERE name LIKE 'm-%'");
  send(conv, "alice");
  std::vector<std::string> users;
  json fields{{"conv", conv}, {"seq", 1}, {"limit", 499}};
  std::int64_t reading = 0;
  for (bool more = true; more;) {
    const auto page = ask("m-0007", "receipt.list", fields);
    EXPECT_EQ(page["members"], 5000);
    EXPECT_EQ(page["read"], 1999);
    for (const auto& row : page["receipts"]) {
      users.push_back(row["user"]);
      if (row["read"]) ++reading;
    }
    more = page.contains("cursor");
    if (more) fields["cursor"] = page["cursor"];
  }
  EXPECT_EQ(users.size(), 5000U);
  EXPECT_EQ(reading, 1999);
  EXPECT_TRUE(std::is_sorted(users.begin(), users.end()));
  EXPECT_EQ(std::adjacent_find(users.begin(), users.end()), users.end());
}

TEST_F(Receipts, OfWhatTheMemberMayNotSeeAreRefused) {
  const auto conv = group({"alice", "bob"});
  send_many(conv, "alice", 3);
  add_users({"carol"});
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
  const auto list = [&](const std::string& user, const json& seq, const std::string& shown) {
    return refused(user, "receipt.list", {{"conv", conv}, {"seq", seq}}, shown);
  };
  EXPECT_EQ(list("alice", 4, "message 4"), "not_found");
  EXPECT_EQ(list("alice", 0, "seq is 0"), "bad_field");
  EXPECT_EQ(list("alice", "1", "seq is \"1\""), "bad_field");
  EXPECT_EQ(list("carol", 3, "message 3"), "not_found");
  ask("bob", "message.delete", {{"conv", conv}, {"seqs", {3}}});
  ask("bob", "message.delete", {{"conv", conv}, {"to", 1}});
  EXPECT_EQ(list("bob", 3, "message 3"), "not_found");
  EXPECT_EQ(list("bob", 1, "message 1"), "not_found");
  EXPECT_EQ(list("bob", 2, ""), "ok");
  EXPECT_EQ(refused("bob", "receipt.list", {{"conv", conv}, {"seq", 2}, {"limit", 501}}, "501"), "bad_field");
  EXPECT_EQ(refused("bob", "receipt.list", {{"conv", conv}, {"seq", 2}, {"cursor", 1}}, "cursor is 1"), "bad_field");
}

}  // namespace
}  // namespace chat::test
