// conversation.list and unread.get
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/bridge/requests/list_suite.h"
#include "tests/support/seed.h"

namespace chat::test {
namespace {

using ConversationList = ListSuite;

std::vector<std::string> names(const json& page) {
  std::vector<std::string> names;
  for (const auto& row : page.at("conversations")) names.push_back(row.at("conv"));
  return names;
}

TEST_P(ConversationList, UnreadOnesComeFirstThenTheLatest) {
  const auto quiet = group({"alice", "bob"}, "quiet");
  const auto busy = group({"alice", "bob"}, "busy");
  const auto fresh = group({"alice", "bob"}, "fresh");
  send(quiet, "bob");
  send(busy, "alice");
  EXPECT_EQ(names(ask("alice", "conversation.list")), (std::vector{quiet, busy, fresh}));
  EXPECT_EQ(names(ask("bob", "conversation.list")), (std::vector{busy, quiet, fresh}));
  send(fresh, "bob");
  EXPECT_EQ(names(ask("alice", "conversation.list")), (std::vector{fresh, quiet, busy}));
  read(fresh, "alice", 1);
  EXPECT_EQ(names(ask("alice", "conversation.list")), (std::vector{quiet, fresh, busy}));
}

TEST_P(ConversationList, ARowShowsWhatAnAppShows) {
  const auto conv = group({"alice", "bob"}, "Picnic");
  send(conv, "bob", {.mentions = {"alice"}});
  send(conv, "bob", {.type = "image", .payload = R"({"type":"image","body":{"url":"x"}})"});
  ask("alice", "settings.set", {{"conv", conv}, {"muted", true}, {"pinned", true}, {"draft", "I bring"}});
  const auto row = ask("alice", "conversation.list").at("conversations").at(0);
  EXPECT_EQ(row["title"], "Picnic");
  EXPECT_EQ(row["unread"], 2);
  EXPECT_EQ(row["mentions"], 1);
  EXPECT_EQ(row["muted"], true);
  EXPECT_EQ(row["pinned"], true);
  EXPECT_EQ(row["draft"], "I bring");
  EXPECT_EQ(row["last_time"], now_);
  EXPECT_EQ(row["last"],
            json({{"seq", 2}, {"server_time", now_}, {"from", "bob"}, {"type", "image"}, {"body", {{"url", "x"}}}}));
  const auto bobs = ask("bob", "conversation.list").at("conversations").at(0);
  EXPECT_EQ(bobs["draft"], "") << "a draft is its writer's own";
  EXPECT_EQ(bobs["unread"], 0);
  EXPECT_EQ(bobs["mentions"], 0);
}

TEST_P(ConversationList, ALongBodyIsCutBetweenTwoCharacters) {
  const auto conv = group({"alice", "bob"});
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "€";
  send(conv, "bob", {.payload = json{{"body", euros}}.dump()});
  std::string cut = ask("alice", "conversation.list")["conversations"][0]["last"]["body"];
  EXPECT_EQ(cut, euros.substr(0, 1023) + "…");
  send(conv, "bob", {.payload = json{{"body", {{"text", euros}}}}.dump()});
  EXPECT_FALSE(ask("alice", "conversation.list")["conversations"][0]["last"].contains("body"));
}

TEST_P(ConversationList, TheLastMessageIsOneThatTheMemberMaySee) {
  const auto conv = group({"alice", "bob"});
  send_many(conv, "bob", 3);
  const auto last = [&](const std::string& user) {
    const auto row = ask(user, "conversation.list")["conversations"][0];
    return row.contains("last") ? row["last"] : json();
  };
  ask("alice", "message.delete", {{"conv", conv}, {"seqs", {3}}});
  EXPECT_EQ(last("alice")["seq"], 2);
  EXPECT_EQ(last("bob")["seq"], 3);
  recall(conv, 2);
  EXPECT_EQ(last("alice")["recalled"], true);
  EXPECT_FALSE(last("alice").contains("body"));
  ask("alice", "message.delete", {{"conv", conv}, {"to", 3}});
  EXPECT_TRUE(last("alice").is_null());
  add_users({"carol"});
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
  EXPECT_TRUE(last("carol").is_null()) << "what was said before carol came is not carol's";
  send(conv, "bob", {.ttl_s = 10});
  EXPECT_EQ(last("carol")["body"], "bob 4");
  now_ += 10'000;
  EXPECT_EQ(last("carol")["expired"], true);
  EXPECT_FALSE(last("carol").contains("body"));
}

TEST_P(ConversationList, WhatIsNoPageIsRefused) {
  for (const std::string operation : {"conversation.list", "unread.get"}) {
    EXPECT_EQ(refused("alice", operation, {{"limit", 0}}, "limit is 0"), "bad_field");
    EXPECT_EQ(refused("alice", operation, {{"limit", 501}}, "limit is 501"), "bad_field");
    EXPECT_EQ(refused("alice", operation, {{"limit", 1.5}}, "limit is 1.5"), "bad_field");
    EXPECT_EQ(refused("alice", operation, {{"limit", "9"}}, "limit is \"9\""), "bad_field");
    for (const json& cursor : {json("x"), json("[]"), json("[1,2,3,4]"), json("[1,2,\"3\"]"), json(3), json("{}"),
                               json("[1,2,18446744073709551615]"), json(std::string(101, '1'))}) {
      EXPECT_EQ(refused("alice", operation, {{"cursor", cursor}}, "cursor is "), "bad_field") << cursor;
    }
  }
}

TEST_P(ConversationList, NumbersThatAPowerCutTookAreNotUnread) {
  const auto conv = group({"alice", "bob"});
  const auto unread = [&] { return ask("bob", "unread.get", {{"conv", conv}})["unread"]; };
  send(conv, "alice");
  lose_power(conv);
  EXPECT_EQ(unread(), 1);
  EXPECT_EQ(ask("bob", "conversation.list")["conversations"][0]["last"]["seq"], 1);
  lose_power(conv);
  EXPECT_GT(send(conv, "alice"), 2'000'000);
  EXPECT_EQ(unread(), 2);
  EXPECT_EQ(ask("bob", "history", {{"conv", conv}})["messages"].size(), 2U);
}

// Goal: while nothing changes, pages of any size give each row exactly once, in one order. Method: conversations with
// equal and different times, read and unread, of a random user; pages of random sizes against one page of all.
TEST_P(ConversationList, PagesGiveEachConversationExactlyOnce) {
  auto chance = generator("list pages");
  const auto below = [&](int bound) { return static_cast<int>(chance() % static_cast<unsigned>(bound)); };
  constexpr int kConversations = 60;
  for (int i = 0; i < kConversations; ++i) {
    const auto conv = group({"alice", "bob"});
    const auto messages = below(3);
    send_many(conv, below(2) == 0 ? "alice" : "bob", messages);
    if (messages > 0 && below(3) == 0) read(conv, "alice", messages);
  }
  sql("UPDATE conversations SET last_time = last_time - last_time % 20000");  // many at the same time
  sql("UPDATE members SET joined_at = joined_at - joined_at % 20000");
  const auto whole = names(ask("alice", "conversation.list", {{"limit", 500}}));
  const auto counts = ask("alice", "unread.get");
  EXPECT_EQ(std::set(whole.begin(), whole.end()).size(), static_cast<std::size_t>(kConversations));
  for (int round = 0; round < 20; ++round) {
    for (const auto* operation : {"conversation.list", "unread.get"}) {
      std::vector<std::string> paged;
      json fields = json::object();
      for (bool more = true; more;) {
        fields["limit"] = 1 + below(25);
        const auto page = ask("alice", operation, fields);
        EXPECT_LE(page["conversations"].size(), fields["limit"].get<std::size_t>());
        for (const auto& name : names(page)) paged.push_back(name);
        more = page.contains("cursor");
        if (more) fields["cursor"] = page["cursor"];
      }
      const auto is_list = std::string(operation) == "conversation.list";
      ASSERT_EQ(paged, is_list ? whole : names(counts)) << operation << " in round " << round;
    }
  }
}

// Goal: unread, mentions and total are what a naive count over everything that happened says. Method: random
// operations on a few conversations; after each, one user's counts, asked for in three ways, against the model's.
TEST_P(ConversationList, UnreadIsWhatANaiveModelCounts) {
  struct Entry {
    std::string sender;
    bool mentions_carol = false;
    TimeMs expires = 0;
    bool recalled = false;
  };
  struct Place {
    Seq join = 1;
    Seq read = 0;
    Seq deleted_to = 0;
    std::set<Seq> hidden;
    bool muted = false;
    bool in = true;
  };
  auto chance = generator("unread model");
  const auto below = [&](std::size_t bound) { return static_cast<std::int64_t>(chance() % bound); };
  const std::vector<std::string> users{"alice", "bob", "carol"};
  std::vector<std::string> convs;
  std::map<std::string, std::vector<Entry>> log;
  std::map<std::pair<std::string, std::string>, Place> places;
  for (int i = 0; i < 3; ++i) {
    convs.push_back(group(users));
    for (const auto& user : users) places[{convs.back(), user}] = {};
  }
  const auto count = [&](const std::string& conv, const std::string& user) {
    const auto& place = places[{conv, user}];
    const auto& entries = log[conv];
    Seq floor = std::max({place.join - 1, place.read, place.deleted_to});
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].sender == user && static_cast<Seq>(i) + 1 >= place.join)
        floor = std::max<Seq>(floor, static_cast<Seq>(i) + 1);
    }
    std::pair<std::int64_t, std::int64_t> counted{0, 0};
    for (Seq seq = floor + 1; seq <= static_cast<Seq>(entries.size()); ++seq) {
      const auto& entry = entries[static_cast<std::size_t>(seq - 1)];
      if (entry.recalled || place.hidden.contains(seq) || (entry.expires != 0 && entry.expires <= now_)) continue;
      ++counted.first;
      if (entry.mentions_carol && user == "carol") ++counted.second;
    }
    return counted;
  };
  for (int step = 0; step < 400; ++step) {
    const auto& conv = convs[static_cast<std::size_t>(below(convs.size()))];
    const auto& user = users[static_cast<std::size_t>(below(users.size()))];
    auto& place = places[{conv, user}];
    auto& entries = log[conv];
    const auto last = static_cast<Seq>(entries.size());
    const auto some = last == 0 ? 0 : 1 + below(static_cast<std::size_t>(last));
    const auto dice = below(20);
    if (dice < 9) {
      if (!place.in) continue;
      const bool mentions = below(3) == 0;
      const std::int64_t ttl = below(6) == 0 ? 1 + below(20) : 0;
      send(conv, user,
           {.mentions = mentions ? std::vector<std::string>{"carol"} : std::vector<std::string>{}, .ttl_s = ttl});
      entries.push_back({user, mentions, ttl == 0 ? 0 : now_ + 1000 * ttl});
    } else if (some == 0) {
      continue;
    } else if (dice < 12) {
      if (!place.in) continue;
      read(conv, user, some);
      place.read = std::max(place.read, some);
    } else if (dice < 14) {
      auto& entry = entries[static_cast<std::size_t>(some - 1)];
      recall(conv, some);
      entry.recalled = true;
    } else if (dice < 16) {
      if (!place.in || some < place.join) continue;
      ask(user, "message.delete", {{"conv", conv}, {"seqs", {some}}});
      if (some > place.deleted_to) place.hidden.insert(some);
    } else if (dice < 17) {
      if (!place.in) continue;
      ask(user, "message.delete", {{"conv", conv}, {"to", some}});
      place.deleted_to = std::max(place.deleted_to, some);
    } else if (dice < 18) {
      if (!place.in) continue;
      place.muted = !place.muted;
      ask(user, "settings.set", {{"conv", conv}, {"muted", place.muted}});
    } else if (user == "carol") {  // goes and comes back: nothing of before is hers
      if (place.in) {
        ask("alice", "member.remove", {{"conv", conv}, {"users", {"carol"}}});
        place.in = false;
      } else {
        ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
        auto hidden = place.hidden;
        place = {};
        place.join = last + 1;
        place.hidden = hidden;
      }
    }

    const auto& who = users[static_cast<std::size_t>(below(users.size()))];
    disturb(chance, who);
    std::int64_t total = 0;
    std::map<std::string, json> rows;
    for (const auto& name : convs) {
      const auto& mine = places[{name, who}];
      if (!mine.in) continue;
      const auto [unread, mentions] = count(name, who);
      if (!mine.muted) total += unread;
      const json row{{"conv", name}, {"unread", unread}, {"mentions", mentions}, {"muted", mine.muted}};
      if (unread > 0) rows[name] = row;
      auto got = ask(who, "unread.get", {{"conv", name}});
      got.erase("id");
      got.erase("ok");
      ASSERT_EQ(got, row) << "step " << step << ", " << who;
    }
    const auto all = ask(who, "unread.get");
    ASSERT_EQ(all["total"], total) << "step " << step << ", " << who;
    ASSERT_EQ(all["conversations"].size(), rows.size()) << "step " << step << ", " << who;
    for (const auto& row : all["conversations"]) ASSERT_EQ(row, rows[row["conv"]]) << "step " << step << ", " << who;
    const auto list = ask(who, "conversation.list");
    for (const auto& row : list["conversations"]) {
      ASSERT_EQ(row["unread"], count(row["conv"], who).first) << "step " << step << ", " << who;
    }
  }
  if (GetParam() == Kept::kInRedis) {
    EXPECT_GT(hits(), 300) << "it was not Redis that was tested";
  }
}

INSTANTIATE_TEST_SUITE_P(, ConversationList,
                         ::testing::Values(Kept::kNowhere, Kept::kInRedis, Kept::kInADisturbedRedis), name_of);

}  // namespace
}  // namespace chat::test
