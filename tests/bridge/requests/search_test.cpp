// search: what is found, by whom, in which order; and that the index follows what becomes of messages.
#include <atomic>
#include <random>
#include <thread>

#include "bridge/commands/decide.h"
#include "storage/commands.h"
#include "tests/bridge/requests/request_suite.h"
#include "tests/support/seed.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

class Searching : public RequestSuite {
 protected:
  Seq say(const std::string& conv, const std::string& sender, const std::string& body, const std::string& type = "text",
          std::int64_t ttl_s = 0) {
    return send(conv, sender, {.type = type, .ttl_s = ttl_s, .payload = json{{"type", type}, {"body", body}}.dump()});
  }
  // The bodies that are found, of all pages.
  std::vector<std::string> found(const std::string& user, const std::string& words, json fields = json::object()) {
    std::vector<std::string> bodies;
    fields["words"] = words;
    for (int pages = 0; pages < 100; ++pages) {
      const auto answer = ask(user, "search", fields);
      for (const auto& message : answer.at("messages")) bodies.push_back(message.at("body"));
      if (!answer.contains("cursor")) return bodies;
      fields["cursor"] = answer["cursor"];
    }
    ADD_FAILURE() << "a hundred pages";
    return bodies;
  }
  // 20,000 later messages of `conv`, more than are walked through: what lies below them is found by the index, or not.
  // `body`: SQL, of n.
  void bury(const std::string& conv, const std::string& body) {
    const auto id = std::to_string(id_of(conv));
    sql("INSERT INTO messages (conv_id, seq, server_time, mid, type, sender, payload) SELECT " + id + ", n, " +
        std::to_string(now_) + " + 2000 + n, gen_random_uuid(), 0, 'alice', json_build_object('body', " + body +
        ") FROM generate_series(1, 20000) n");
    sql("UPDATE conversations SET last_seq = 20000 WHERE id = " + id);
    index();
  }
  // `burying`: the bodies of what lies above, as bury() takes them; empty: there is nothing.
  void others_messages_are_not_found(const std::string& burying) {
    using Bodies = std::vector<std::string>;
    const auto conv = group({"alice", "bob"});
    const auto theirs = group({"alice", "dave"});
    add_users({"carol"});
    say(conv, "alice", "cake 1");
    ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
    say(conv, "alice", "cake 2");
    say(conv, "alice", "cake 3");
    say(theirs, "dave", "cake 4");
    index();
    if (!burying.empty()) bury(group({"erin"}), burying);
    EXPECT_EQ(found("carol", "cake"), (Bodies{"cake 3", "cake 2"})) << "nothing from before she joined";
    EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 3", "cake 2", "cake 1"}));
    ask("bob", "message.delete", {{"conv", conv}, {"to", 1}});
    ask("bob", "message.delete", {{"conv", conv}, {"seqs", {3}}});
    EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 2"}));
    EXPECT_EQ(found("alice", "cake").size(), 4U);
    EXPECT_EQ(refused("bob", "search", {{"words", "cake"}, {"conv", theirs}}, theirs), "not_member");
    ask("bob", "conversation.leave", {{"conv", conv}});
    EXPECT_EQ(found("bob", "cake"), Bodies{});
    EXPECT_EQ(found("nobody", "cake"), Bodies{});
  }
  // Lets the store apply what a client's command comes to.
  void give(const std::string& conv, Seq seq, const CommandEffect& effect) {
    const auto commands = open_postgres_commands(uri(), "bridge_requests_test");
    sql("INSERT INTO commands (journal, position, conv_id, operation, user_name, device, server_time, payload) VALUES "
        "(gen_random_uuid(), 1, " +
        std::to_string(id_of(conv)) + ", 'recall', 'alice', 'phone', " + std::to_string(now_) + ", '{}')");
    const auto waiting = commands->waiting(1);
    ASSERT_EQ(waiting.size(), 1U);
    commands->apply(
        waiting[0], seq, [&](const CommandScene&) { return effect; }, [](const RefuseCommand&) { return ""; });
  }
  static EditMessage edit(const std::string& body) {
    return {json(body).dump(), json{{"body", body}, {"edited", 1}}.dump()};
  }
};

using Bodies = std::vector<std::string>;

TEST_F(Searching, AllWordsMustOccurAndTheNewestComesFirst) {
  const auto conv = group({"alice", "bob"});
  say(conv, "alice", "Who brings the cake?");
  say(conv, "bob", "I bring a CAKE and the plates");
  say(conv, "alice", "Résumé of the plates");
  index();
  EXPECT_EQ(found("bob", "cake"), (Bodies{"I bring a CAKE and the plates", "Who brings the cake?"}));
  EXPECT_EQ(found("bob", "plates, CAKE!"), (Bodies{"I bring a CAKE and the plates"}));
  EXPECT_EQ(found("bob", "resume"), (Bodies{"Résumé of the plates"}));
  EXPECT_EQ(found("bob", "bri"), Bodies{}) << "the beginning of a word is not the word";
  EXPECT_EQ(found("bob", "cake cellar"), Bodies{});
}

TEST_F(Searching, AMessageComesInTheBytesInWhichItIsDelivered) {
  const auto conv = group({"alice", "bob"});
  const std::string mine = R"( "id" : "a", "body":"Sn\u00f6w 👍","n":1.50,"big":123456789012345678901234567890})";
  send(conv, "alice", {.payload = "{" + mine});
  index();
  EXPECT_EQ(answer_text("bob", "search", {{"words", "snow"}}, "s-1"),
            R"({"id":"s-1","ok":true,"messages":[{"conv":")" + conv + R"(","seq":1,"server_time":)" +
                std::to_string(now_) + R"(,"from":"alice","mid":"01970001-7000-0000-0000-000000000000",)" + mine +
                "]}");
}

TEST_F(Searching, IsNarrowedByConversationSenderAndTime) {
  const auto one = group({"alice", "bob"});
  const auto other = group({"bob", "carol", "alice"});
  say(one, "alice", "cake 1");
  const auto between = now_;
  say(other, "carol", "cake 2");
  say(other, "alice", "cake 3");
  say(one, "bob", "cake 4");
  index();
  EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 4", "cake 3", "cake 2", "cake 1"}));
  EXPECT_EQ(found("bob", "cake", {{"conv", one}}), (Bodies{"cake 4", "cake 1"}));
  EXPECT_EQ(found("bob", "cake", {{"from", "alice"}}), (Bodies{"cake 3", "cake 1"}));
  EXPECT_EQ(found("bob", "cake", {{"from", "alice"}, {"conv", other}}), (Bodies{"cake 3"}));
  EXPECT_EQ(found("bob", "cake", {{"after", between}}), (Bodies{"cake 4", "cake 3", "cake 2"}));
  EXPECT_EQ(found("bob", "cake", {{"before", between}}), Bodies{});
  EXPECT_EQ(found("bob", "cake", {{"before", between + 1}}), (Bodies{"cake 1"}));
  EXPECT_EQ(found("bob", "cake", {{"after", between}, {"before", now_}}), (Bodies{"cake 3", "cake 2"}));
}

TEST_F(Searching, PagesBringEachMessageOnce) {
  const auto one = group({"alice", "bob"});
  const auto other = group({"bob", "alice"});
  Bodies all;
  for (int i = 0; i < 23; ++i) {
    all.insert(all.begin(), "cake " + std::to_string(i));
    say(i % 3 == 0 ? other : one, "alice", all.front());
  }
  index();
  for (const int limit : {1, 5, 22, 23, 24}) EXPECT_EQ(found("bob", "cake", {{"limit", limit}}), all) << limit;
  EXPECT_FALSE(ask("bob", "search", {{"words", "cake"}, {"limit", 23}}).contains("cursor"));
  EXPECT_TRUE(ask("bob", "search", {{"words", "cake"}, {"limit", 22}}).contains("cursor"));
}

TEST_F(Searching, APageEndsBehindHalfAMegabyteAndTheNextGoesOn) {
  const auto conv = group({"alice", "bob"});
  for (int i = 0; i < 20; ++i) say(conv, "alice", "cake " + std::string(60'000, 'x'));
  index();
  EXPECT_EQ(ask("bob", "search", {{"words", "cake"}})["messages"].size(), 9U);
  EXPECT_EQ(found("bob", "cake").size(), 20U);
}

TEST_F(Searching, OthersMessagesAreNotFoundByWalking) {
  others_messages_are_not_found("");
}

TEST_F(Searching, OthersMessagesAreNotFoundByTheIndex) {
  others_messages_are_not_found("'bread ' || n");
}

TEST_F(Searching, OthersMessagesAreNotFoundByTheIndexWhereOthersHaveTheWordAllTheTime) {
  others_messages_are_not_found("'cake of others ' || n");
}

TEST_F(Searching, ChineseJapaneseAndKoreanAreFoundByWhatFollowsOneAnother) {
  const auto conv = group({"alice", "bob"});
  say(conv, "alice", "明天我们去北京大学看朋友");
  say(conv, "alice", "大北方的学京剧");
  say(conv, "alice", "昨日カラオケに行きました");
  say(conv, "alice", "내일 학교에서 만나요");
  index();
  EXPECT_EQ(found("bob", "北京"), (Bodies{"明天我们去北京大学看朋友"}));
  EXPECT_EQ(found("bob", "北京大学"), (Bodies{"明天我们去北京大学看朋友"}));
  EXPECT_EQ(found("bob", "学北京"), Bodies{}) << "the same characters in another order";
  EXPECT_EQ(found("bob", "北京 朋友"), (Bodies{"明天我们去北京大学看朋友"}));
  EXPECT_EQ(found("bob", "京").size(), 2U);
  EXPECT_EQ(found("bob", "友"), (Bodies{"明天我们去北京大学看朋友"})) << "the last character";
  EXPECT_EQ(found("bob", "ｶﾗｵｹ"), (Bodies{"昨日カラオケに行きました"}));
  EXPECT_EQ(found("bob", "학교"), (Bodies{"내일 학교에서 만나요"}));
}

// PostgreSQL's own counters: of the index that holds the words, and of the table without any index.
TEST_F(Searching, ATwoCharacterChineseWordIsFoundByAnIndex) {
  const auto conv = group({"alice", "bob"});
  const auto many = group({"alice"});
  say(conv, "alice", "北京的消息");
  say(conv, "alice", "明天我们去北京大学看朋友");
  bury(many, "'第' || n || '号消息 ' || chr(20000 + n % 5000) || chr(20000 + n % 4999) || chr(20000 + n % 4998)");
  const auto scans = [this](const std::string& what) {
    return number("SELECT coalesce(sum(" + what + "), 0)::bigint");
  };
  const std::string by_words =
      "(SELECT idx_scan FROM pg_stat_user_indexes WHERE relname LIKE 'message_words_%' AND indexrelname LIKE "
      "'%_words_idx')";
  const std::string by_reading_all = "(SELECT seq_scan FROM pg_stat_user_tables WHERE relname LIKE 'message_words_%')";
  const auto before = scans(by_words);
  const auto all_before = scans(by_reading_all);
  EXPECT_EQ(found("bob", "北京"), (Bodies{"明天我们去北京大学看朋友", "北京的消息"}));
  EXPECT_EQ(found("bob", "京大", {{"conv", conv}}).size(), 1U);
  EXPECT_EQ(found("bob", "消息"), (Bodies{"北京的消息"})) << "which others say all the time";
  eventually("PostgreSQL counts scans of the index", [&] {
    ask("bob", "search", {{"words", "北京"}});  // a session tells its counts behind a later statement
    return scans(by_words) >= before + 3;
  });
  EXPECT_EQ(scans(by_reading_all), all_before);

  // In so many conversations that none is looked at apart.
  sql("WITH made AS (INSERT INTO conversations (name, kind, created_at, changed_at) "
      "SELECT 'g:many-' || n, 1, 0, 0 FROM generate_series(1, 1100) n RETURNING id) "
      "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) SELECT id, 'bob', 1, 1, 0 FROM made");
  EXPECT_EQ(found("bob", "消息"), (Bodies{"北京的消息"}));
}

TEST_F(Searching, ExpiredTextIsFoundNoMore) {
  const auto conv = group({"alice", "bob"});
  say(conv, "alice", "cake for ten seconds", "text", 10);
  index();
  now_ += 9'999;
  EXPECT_EQ(found("bob", "cake").size(), 1U);
  now_ += 1;
  EXPECT_EQ(found("bob", "cake"), Bodies{});
}

TEST_F(Searching, RecalledTextIsFoundNoMore) {
  const auto conv = group({"alice", "bob"});
  say(conv, "alice", "cake 1");
  say(conv, "alice", "cake 2");
  say(conv, "alice", "cake 3");
  give(conv, 1, RecallMessage{});
  index();
  EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 3", "cake 2"})) << "recalled before it was indexed";
  give(conv, 2, RecallMessage{});
  EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 3"})) << "recalled behind that";
  index();
  EXPECT_EQ(number("SELECT count(*) FROM message_words"), 1);
}

TEST_F(Searching, AnEditedMessageIsFoundByItsNewTextOnly) {
  const auto conv = group({"alice", "bob"});
  for (int i = 1; i <= 3; ++i) say(conv, "alice", "cake");
  give(conv, 1, edit("pie 1"));
  index();
  give(conv, 2, edit("pie 2"));
  give(conv, 3, edit("?!"));
  EXPECT_EQ(found("bob", "cake"), Bodies{});
  EXPECT_EQ(found("bob", "pie", {{"conv", conv}, {"from", "alice"}}), (Bodies{"pie 2", "pie 1"}));
  give(conv, 3, edit("pie 3"));
  EXPECT_EQ(found("bob", "pie"), (Bodies{"pie 3", "pie 2", "pie 1"}));
}

// Recalls and edits of what is being indexed just then, in every order that chance finds.
TEST_F(Searching, TheIndexEndsAsTheMessagesDoWhoeverIsFirst) {
  auto random = generator("search races");
  const auto conv = group({"alice", "bob"});
  const auto id = std::to_string(id_of(conv));
  std::atomic<bool> ending = false;
  std::thread applying([&] {
    const auto commands = open_postgres_commands(uri(), "bridge_requests_test");
    for (;;) {
      const bool last = ending;
      const auto waiting = commands->waiting(100);
      for (const auto& command : waiting) {
        const auto seq = std::stoll(command.command.payload);
        commands->apply(
            command, seq,
            [&](const CommandScene& scene) -> CommandEffect {
              if (scene.message->recalled) return LeaveUnchanged{};
              return command.command.operation == "recall" ? CommandEffect(RecallMessage{}) : edit("final");
            },
            [](const RefuseCommand&) { return ""; });
      }
      if (last && waiting.empty()) return;
    }
  });
  std::thread indexing([&] {
    const auto index = open_search_index(uri(), "bridge_requests_test");
    for (;;) {
      const bool last = ending;
      if (!index->index_some() && last) return;
    }
  });
  for (int round = 0; round < 150; ++round) {
    const auto seq = std::to_string(say(conv, "alice", "draft"));
    if (random() % 4 == 0) continue;
    const std::string operation = random() % 2 == 0 ? "recall" : "edit";
    sql("INSERT INTO commands (journal, position, conv_id, operation, user_name, device, server_time, payload) VALUES "
        "(gen_random_uuid(), 1, " +
        id + ", '" + operation + "', 'alice', 'phone', 1, '" + seq + "')");
  }
  ending = true;
  applying.join();
  indexing.join();
  index();
  const std::string both =
      "SELECT count(*) FROM messages m LEFT JOIN message_words w USING (conv_id, seq, server_time) ";
  EXPECT_GT(number(both + "WHERE m.recalled_at IS NOT NULL"), 0);
  EXPECT_GT(number(both + "WHERE m.edited_at IS NOT NULL"), 0);
  EXPECT_EQ(number(both + "WHERE m.recalled_at IS NOT NULL AND w.words IS NOT NULL"), 0);
  EXPECT_EQ(number(both + "WHERE m.recalled_at IS NULL AND m.edited_at IS NOT NULL AND w.words @@ 'final' IS NOT TRUE"),
            0);
  EXPECT_EQ(number(both + "WHERE m.recalled_at IS NULL AND m.edited_at IS NULL AND w.words @@ 'draft' IS NOT TRUE"), 0);
}

// Two that index at once are what a bridge leaves behind that lost its lock without noticing.
TEST_F(Searching, AnIndexerThatWasInterruptedAndTwoAtOnceMissNothing) {
  std::vector<std::string> convs;
  for (int i = 0; i < 5; ++i) convs.push_back(group({"alice", "bob"}));
  sql("SELECT chat_make_month(" + std::to_string(now_) + ")");
  for (const auto& conv : convs) {
    sql("INSERT INTO messages (conv_id, seq, server_time, mid, type, sender, payload) SELECT " +
        std::to_string(id_of(conv)) + ", n, " + std::to_string(now_) +
        " + n, gen_random_uuid(), 0, 'alice', '{\"body\":\"word' || n || ' cake\"}' FROM generate_series(1, 3000) n");
    sql("UPDATE conversations SET last_seq = 3000 WHERE name = '" + conv + "'");
  }
  const auto first = open_search_index(uri(), "bridge_requests_test");
  EXPECT_TRUE(first->index_some());
  first->interrupt();
  EXPECT_THROW(first->index_some(), StoreUnavailable);
  const auto once = number("SELECT sum(seq) FROM search_progress");
  EXPECT_GT(once, 0);
  EXPECT_LT(once, 15'000);
  const auto work = [this] {
    const auto index = open_search_index(uri(), "bridge_requests_test");
    while (number("SELECT count(*) FROM search_progress WHERE seq = 3000") < 5) index->index_some();
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(number("SELECT count(*) FROM message_words"), 15'000);
  EXPECT_EQ(number("SELECT count(DISTINCT (conv_id, seq)) FROM message_words"), 15'000);
  EXPECT_EQ(found("bob", "word2999").size(), 5U);
}

TEST_F(Searching, ANumberThatAPowerCutTookIsNoHindrance) {
  const auto conv = group({"alice", "bob"});
  say(conv, "alice", "cake 1");
  lose_power(conv);
  index();
  say(conv, "alice", "cake 2");
  index();
  EXPECT_EQ(found("bob", "cake"), (Bodies{"cake 2", "cake 1"}));
}

TEST_F(Searching, WhatIsNoSearchIsRefused) {
  const auto conv = group({"alice", "bob"});
  EXPECT_EQ(refused("bob", "search", json::object(), "words is missing"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", "?! 👍"}}, "?! 👍"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", 5}}, "words is 5"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", std::string(1025, 'a')}}, "aaaa"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"conv", "g:none"}}, "g:none"), "not_found");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"from", "not/a/user"}}, "not/a/user"), "not_found");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"after", -1}}, "-1"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"before", "now"}}, "now"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"limit", 201}}, "201"), "bad_field");
  EXPECT_EQ(refused("bob", "search", {{"words", "a"}, {"cursor", "[1,2]"}}, "[1,2]"), "bad_field");
}

}  // namespace
}  // namespace chat::test
