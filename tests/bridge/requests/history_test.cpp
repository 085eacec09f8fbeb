// history and sync
#include <random>

#include "tests/bridge/requests/request_suite.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

class History : public RequestSuite {
 protected:
  std::vector<Seq> seqs(const json& answer) {
    std::vector<Seq> seqs;
    for (const auto& message : answer.at("messages")) seqs.push_back(message.at("seq"));
    return seqs;
  }
  std::vector<Seq> history(const std::string& user, const json& fields) { return seqs(ask(user, "history", fields)); }
};

using Seqs = std::vector<Seq>;

TEST_F(History, EitherEndOfARangeIsReadFirst) {
  const auto conv = group({"alice", "bob"});
  send_many(conv, "alice", 9);
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}}), (Seqs{9, 8, 7}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}, {"before", 7}}), (Seqs{6, 5, 4}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}, {"after", 3}}), (Seqs{4, 5, 6}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}, {"order", "oldest"}}), (Seqs{1, 2, 3}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}, {"after", 3}, {"order", "newest"}}), (Seqs{9, 8, 7}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"limit", 3}, {"before", 7}, {"order", "oldest"}}), (Seqs{1, 2, 3}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"after", 3}, {"before", 6}}), (Seqs{5, 4}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"after", 9}}), Seqs{});
  EXPECT_EQ(history("bob", {{"conv", conv}, {"before", 1}}), Seqs{});
  EXPECT_EQ(ask("bob", "history", {{"conv", conv}, {"limit", 8}})["more"], true);
  EXPECT_EQ(ask("bob", "history", {{"conv", conv}, {"limit", 9}})["more"], false);
}

// A number too large for a double, an escape, a space: what a parser would tidy up.
TEST_F(History, AMessageComesInTheBytesInWhichItIsDelivered) {
  const auto conv = group({"alice", "bob"});
  const std::string mine = R"( "id" : "a", "body":"Sn\u00f6w 👍","n":1.50,"big":123456789012345678901234567890})";
  send(conv, "alice", {.payload = "{" + mine});
  const auto text = answer_text("bob", "history", {{"conv", conv}}, "h-1");
  const auto delivered = R"({"conv":")" + conv + R"(","seq":1,"server_time":)" + std::to_string(now_) +
                         R"(,"from":"alice","mid":"01970001-7000-0000-0000-000000000000",)" + mine;
  EXPECT_EQ(text, R"({"id":"h-1","ok":true,"conv":")" + conv + R"(","more":false,"messages":[)" + delivered + "]}");
  EXPECT_NE(answer_text("bob", "sync", {{"ranges", {{conv, {{1, 1}}}}}}).find(delivered), std::string::npos);
}

TEST_F(History, OnlyWhatTheMemberMaySee) {
  const auto conv = group({"alice", "bob"});
  add_users({"carol"});
  send_many(conv, "alice", 3);
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
  send_many(conv, "alice", 3);
  EXPECT_EQ(history("carol", {{"conv", conv}}), (Seqs{6, 5, 4}));
  ask("bob", "message.delete", {{"conv", conv}, {"to", 2}});
  ask("bob", "message.delete", {{"conv", conv}, {"seqs", {5, 3}}});
  EXPECT_EQ(history("bob", {{"conv", conv}}), (Seqs{6, 4}));
  EXPECT_EQ(history("bob", {{"conv", conv}, {"order", "oldest"}}), (Seqs{4, 6}));
  EXPECT_EQ(history("alice", {{"conv", conv}}), (Seqs{6, 5, 4, 3, 2, 1}));
  const json everything{{"ranges", {{conv, {{1, 100}}}}}};
  EXPECT_EQ(seqs(ask("carol", "sync", everything)), (Seqs{4, 5, 6}));
  EXPECT_EQ(seqs(ask("bob", "sync", everything)), (Seqs{4, 6}));
}

TEST_F(History, WhatIsGoneIsATombstone) {
  const auto conv = group({"alice", "bob"});
  send(conv, "alice");
  send(conv, "alice", {.ttl_s = 10});
  send(conv, "alice", {.ttl_s = 10});
  recall(conv, 1);
  recall(conv, 3);
  now_ += 8'999;
  EXPECT_EQ(ask("bob", "history", {{"conv", conv}})["messages"][1]["body"], "alice 2");
  now_ += 1;
  const auto answer = ask("bob", "history", {{"conv", conv}});
  EXPECT_EQ(answer["messages"][1]["expired"], true);
  EXPECT_EQ(answer["messages"][1]["from"], "alice");
  EXPECT_FALSE(answer["messages"][1].contains("body"));
  EXPECT_EQ(answer["messages"][0]["recalled"], true) << "recalled comes before expired";
  EXPECT_EQ(answer["messages"][2]["recalled"], true);
}

TEST_F(History, ReactionsAreGathered) {
  const auto conv = group({"alice", "bob", "carol"});
  send_many(conv, "alice", 2);
  const auto id = std::to_string(id_of(conv));
  sql("INSERT INTO reactions VALUES (" + id + ",1,'carol','👍',5),(" + id + ",1,'bob','👍',7),(" + id +
      ",1,'bob','🎂',6)");
  sql("INSERT INTO reactions SELECT " + id + ",2,'user-' || to_char(n, 'FM000'),'👍',n FROM generate_series(1,60) n");
  const auto answer = ask("bob", "history", {{"conv", conv}});
  EXPECT_EQ(answer["reactions"]["1"], json({{"👍", {"carol", "bob"}}, {"🎂", {"bob"}}}));
  EXPECT_EQ(answer["reactions"]["2"]["👍"].size(), 50U);
  EXPECT_EQ(answer["reactions"]["2"]["👍"][0], "user-001");
  EXPECT_EQ(answer["reaction_counts"], json({{"2", {{"👍", 60}}}}));
  EXPECT_FALSE(ask("bob", "history", {{"conv", conv}, {"before", 1}}).contains("reactions"));
}

TEST_F(History, APageEndsBehindHalfAMegabyte) {
  const auto conv = group({"alice", "bob"});
  const auto payload = json{{"body", std::string(60'000, 'x')}}.dump();
  for (int i = 0; i < 20; ++i) send(conv, "alice", {.payload = payload});
  const auto first = ask("bob", "history", {{"conv", conv}});
  EXPECT_EQ(seqs(first), (Seqs{20, 19, 18, 17, 16, 15, 14, 13, 12}));
  EXPECT_EQ(first["more"], true);
  EXPECT_EQ(seqs(ask("bob", "history", {{"conv", conv}, {"before", 4}})), (Seqs{3, 2, 1}));
  const auto nine = ask("bob", "history", {{"conv", conv}, {"before", 10}});
  EXPECT_EQ(nine["messages"].size(), 9U);
  EXPECT_EQ(nine["more"], false) << "the ninth reaches the bound, and is the last there is";
  EXPECT_EQ(ask("bob", "sync", {{"ranges", {{conv, {{1, 20}}}}}})["more"], true);
}

TEST_F(History, WhatIsNoPageIsRefused) {
  const auto conv = group({"alice", "bob"});
  const auto history = [&](const char* name, const json& value) {
    return refused("bob", "history", {{"conv", conv}, {name, value}}, std::string(name) + " is " + value.dump());
  };
  EXPECT_EQ(history("before", 0), "bad_field");
  EXPECT_EQ(history("before", "9"), "bad_field");
  EXPECT_EQ(history("before", 18446744073709551615U), "bad_field");
  EXPECT_EQ(history("after", -1), "bad_field");
  EXPECT_EQ(history("after", 9223372036854775807), "bad_field");
  EXPECT_EQ(history("limit", 0), "bad_field");
  EXPECT_EQ(history("limit", 201), "bad_field");
  EXPECT_EQ(history("order", "random"), "bad_field");
  EXPECT_EQ(history("order", true), "bad_field");
}

// Goal: paging through a history, in either order and with pages of any size, gives each visible message exactly once.
// Method: a conversation over several months with a few messages hidden, against the list of those that are visible.
TEST_F(History, PagesGiveEachMessageExactlyOnce) {
  auto chance = generator("history pages");
  const auto below = [&](unsigned bound) { return static_cast<Seq>(chance() % bound); };
  const auto conv = group({"alice", "bob"});
  constexpr Seq kMessages = 150;
  Seqs visible;
  for (Seq seq = 1; seq <= kMessages; ++seq) {
    now_ += 24LL * 60 * 60 * 1000;
    send(conv, "alice");
    if (below(5) == 0) {
      ask("bob", "message.delete", {{"conv", conv}, {"seqs", {seq}}});
    } else {
      visible.push_back(seq);
    }
  }
  EXPECT_GE(number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass"), 5);
  for (int round = 0; round < 30; ++round) {
    const bool newest = below(2) == 0;
    Seqs paged;
    json fields{{"conv", conv}, {"order", newest ? "newest" : "oldest"}};
    for (bool more = true; more;) {
      fields["limit"] = 1 + below(60);
      const auto page = ask("bob", "history", fields);
      for (const Seq seq : seqs(page)) paged.push_back(seq);
      more = page["more"];
      ASSERT_FALSE(page["messages"].empty());
      fields[newest ? "before" : "after"] = paged.back();
    }
    auto expected = visible;
    if (newest) std::reverse(expected.begin(), expected.end());
    ASSERT_EQ(paged, expected) << "round " << round;
  }
}

TEST_F(History, SyncFillsHolesInSeveralConversations) {
  const auto one = group({"alice", "bob"});
  const auto two = group({"alice", "bob"});
  send_many(one, "alice", 6);
  send_many(two, "alice", 4);
  const auto answer = ask("bob", "sync", {{"ranges", {{one, {{2, 3}, {5, 5}}}, {two, {{4, 9}}}}}});
  EXPECT_EQ(answer["more"], false);
  EXPECT_EQ(answer["events"], json::array());
  std::map<std::string, Seqs> got;
  for (const auto& message : answer["messages"]) got[message["conv"]].push_back(message["seq"]);
  EXPECT_EQ(got, (std::map<std::string, Seqs>{{one, {2, 3, 5}}, {two, {4}}}));
}

TEST_F(History, SyncGivesWhatIsAboveCursors) {
  const auto conv = group({"alice", "bob"});
  send_many(conv, "alice", 3);
  ask("alice", "conversation.update", {{"conv", conv}, {"title", "T"}});
  auto answer = ask("bob", "sync", {{"cursors", {{conv, {{"seq", 1}, {"rev", 0}}}}}});
  EXPECT_EQ(seqs(answer), (Seqs{2, 3}));
  ASSERT_EQ(answer["events"].size(), 2U);
  EXPECT_EQ(answer["events"][0]["kind"], "conversation.created");
  EXPECT_EQ(answer["events"][1]["title"], "T");
  answer = ask("bob", "sync", {{"cursors", {{conv, {{"rev", 1}}}}}});
  EXPECT_EQ(answer["messages"], json::array()) << "nothing was asked about messages";
  EXPECT_EQ(answer["events"].size(), 1U);
}

// A client goes on from the highest it has, until there is no more.
TEST_F(History, SyncIsPaged) {
  const auto conv = group({"alice", "bob"});
  sql("UPDATE conversations SET last_rev = 1201");
  sql("INSERT INTO events SELECT id, n, 1, json_build_object('rev', n)::text FROM conversations, "
      "generate_series(2, 1201) n");
  Rev rev = 0;
  std::int64_t pages = 0;
  for (bool more = true; more; ++pages) {
    const auto answer = ask("bob", "sync", {{"cursors", {{conv, {{"seq", 0}, {"rev", rev}}}}}});
    for (const auto& event : answer["events"]) ASSERT_EQ(event["rev"], ++rev);
    more = answer["more"];
  }
  EXPECT_EQ(rev, 1201);
  EXPECT_EQ(pages, 3);
}

TEST_F(History, ASyncThatIsNoneIsRefused) {
  const auto conv = group({"alice", "bob"});
  add_users({"eve"});
  const auto sync = [&](const json& fields, const std::string& value) { return refused("bob", "sync", fields, value); };
  EXPECT_EQ(sync(json::object(), "ranges is missing"), "bad_field");
  EXPECT_EQ(sync({{"ranges", {{conv, {{1, 2}}}}}, {"cursors", {{conv, {{"seq", 1}}}}}}, "not both"), "bad_field");
  EXPECT_EQ(sync({{"ranges", 7}}, "ranges is 7"), "bad_field");
  EXPECT_EQ(sync({{"ranges", json::object()}}, "ranges is an object"), "bad_field");
  EXPECT_EQ(sync({{"ranges", {{conv, 7}}}}, "holds 7"), "bad_field");
  for (const json& range : {json({2, 1}), json({0, 1}), json({1}), json({1, 2, 3}), json("x"), json({1, "2"})}) {
    EXPECT_EQ(sync({{"ranges", {{conv, json::array({range})}}}}, conv), "bad_field") << range;
  }
  EXPECT_EQ(sync({{"ranges", {{conv, json(501, json({1, 2}))}}}}, "500"), "bad_field");
  EXPECT_EQ(sync({{"cursors", {{conv, 7}}}}, "holds 7"), "bad_field");
  EXPECT_EQ(sync({{"cursors", {{conv, {{"seq", -1}}}}}}, "seq is -1"), "bad_field");
  EXPECT_EQ(sync({{"cursors", {{conv, {{"rev", "1"}}}}}}, "rev is \"1\""), "bad_field");
  EXPECT_EQ(sync({{"cursors", {{"g:nowhere", {{"seq", 1}}}}}}, "g:nowhere"), "not_found");
  EXPECT_EQ(sync({{"ranges", {{"nothing at all", {{1, 2}}}}}}, "nothing at all"), "not_found");
  json many = json::object();
  for (int i = 0; i < 501; ++i) many["g:" + std::to_string(i)] = json{{"seq", 0}};
  EXPECT_EQ(sync({{"cursors", many}}, "501"), "bad_field");
  EXPECT_EQ(refused("eve", "sync", {{"cursors", {{conv, {{"seq", 0}}}}}}, "\"eve\""), "not_member");
}

}  // namespace
}  // namespace chat::test
