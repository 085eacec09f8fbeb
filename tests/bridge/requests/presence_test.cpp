// presence.get, and what is kept of who is here and who wants to know.
#include <set>

#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using Watches = std::vector<Watch>;
using Names = std::vector<std::string>;

class Presences : public RequestSuite {
 protected:
  void start(const std::vector<KeptSession>& kept = {}) {
    board_.recall(kept, now_, {});
    board_.hear({.reset = true, .sessions = {}}, now_, {});
  }
  void session(const std::string& user, const std::string& device, bool online) {
    board_.hear({.reset = false, .sessions = {{user, device, online, false, false}}}, now_, {});
  }
  json look(const std::string& asker, const Names& users, const json& more = json::object()) {
    json fields{{"users", users}};
    fields.update(more);
    return ask(asker, "presence.get", fields)["presence"];
  }
  Watches watchers(const Names& users) { return presence().watchers(users); }
};

TEST_F(Presences, AnswersForOneselfAndThoseWithWhomOneSharesAConversation) {
  start();
  group({"alice", "bob", "carol"});
  add_users({"mallory"});
  session("bob", "phone", true);
  presence().keep({}, std::vector<EndedSession>{{"carol", "phone", now_ - 5000, now_}}, now_);
  EXPECT_EQ(look("alice", {"bob", "carol", "mallory", "nobody", "alice"}),
            json::parse(R"([{"user":"bob","online":true,"last_seen":)" + std::to_string(now_) +
                        R"(},{"user":"carol","online":false,"last_seen":)" + std::to_string(now_ - 5000) +
                        R"(},{"user":"mallory","code":"not_allowed","reason":"alice may not see when mallory is here"})"
                        R"(,{"user":"nobody","code":"not_found","reason":"there is no )"
                        R"(user \"nobody\""},{"user":"alice","online":false,"last_seen":0}])"));
}

TEST_F(Presences, WhoLeftTheConversationMaySeeNoMore) {
  start();
  const auto conv = group({"alice", "bob"});
  look("bob", {"alice"}, {{"watch", true}});
  EXPECT_EQ(watchers({"alice"}), (Watches{{"bob", "alice"}}));
  ask("alice", "member.remove", {{"conv", conv}, {"users", {"bob"}}});
  EXPECT_EQ(watchers({"alice"}), Watches());
  EXPECT_EQ(look("bob", {"alice"})[0]["code"], "not_allowed");
}

TEST_F(Presences, AWatchIsOfThoseWhomOneMaySeeAndEndsOnRequest) {
  start();
  group({"alice", "bob", "carol"});
  add_users({"mallory"});
  for (int again = 0; again < 2; ++again)
    look("alice", {"bob", "mallory", "nobody", "carol", "bob"}, {{"watch", true}});
  look("bob", {"carol"});
  EXPECT_EQ(watchers({"carol", "mallory", "bob"}), (Watches{{"alice", "bob"}, {"alice", "carol"}}));
  look("alice", {"bob", "nobody"}, {{"watch", false}});
  EXPECT_EQ(watchers({"carol", "mallory", "bob"}), (Watches{{"alice", "carol"}}));
}

TEST_F(Presences, AWatchEndsWithItsSessionAndNotWithAnother) {
  start();
  group({"alice", "bob"});
  const SessionName old_one{"alice", "phone"};
  const SessionName other{"alice", "tablet"};
  presence().watch(old_one, Names{"bob"}, now_);
  presence().watch(other, Names{"bob"}, now_);
  EXPECT_EQ(watchers({"bob"}), (Watches{{"alice", "bob"}})) << "told once, however many devices";
  presence().keep({}, std::vector<EndedSession>{{"alice", "phone", now_ + 10, now_ + 1000}}, now_);
  EXPECT_EQ(watchers({"bob"}), (Watches{{"alice", "bob"}}));
  presence().watch(other, Names{"bob"}, now_ + 5000);  // it is back, and asks again, before its end is kept
  presence().keep({}, std::vector<EndedSession>{{"alice", "tablet", now_ + 10, now_ + 1000}}, now_);
  EXPECT_EQ(watchers({"bob"}), (Watches{{"alice", "bob"}}));
  presence().keep({}, std::vector<EndedSession>{{"alice", "tablet", now_ + 6000, now_ + 7000}}, now_);
  EXPECT_EQ(watchers({"bob"}), Watches());
}

TEST_F(Presences, TheNextBridgeFindsWhoWasHereAndWhoWatches) {
  start();
  group({"alice", "bob"});
  presence().keep(std::vector<SessionName>{{"alice", "phone"}, {"bob", "tv"}, {"bob", "phone"}}, {}, now_);
  presence().keep(std::vector<SessionName>{{"bob", "tv"}}, std::vector<EndedSession>{{"bob", "phone", now_, now_}},
                  now_ + 500);
  presence().watch({"bob", "watch"}, Names{"alice"}, now_);
  deliver(group({"alice"}), "alice", 0, "phone");  // opens the device, by PostgreSQL's clock: later than this suite's
  std::set<std::string> sessions;
  for (const auto& was : presence().kept()) {
    sessions.insert(was.user + " " + was.device + (was.told ? " told" : ""));
    if (was.user == "bob") {
      EXPECT_EQ(was.here_at, now_ + 500);
    } else {
      EXPECT_GT(was.here_at, now_ + 500);
    }
  }
  EXPECT_EQ(sessions, (std::set<std::string>{"alice phone told", "bob tv told", "bob watch"}));
}

TEST_F(Presences, LastSeenIsTheLatestOfAllThatIsKnown) {
  start();
  group({"alice", "bob"});
  EXPECT_EQ(look("alice", {"bob"})[0]["last_seen"], 0);
  deliver(group({"alice", "bob"}), "bob", 0, "phone");  // opens the device
  const auto opened = look("alice", {"bob"})[0]["last_seen"].get<TimeMs>();
  EXPECT_GT(opened, now_);  // PostgreSQL's clock, which is later than this suite's
  const TimeMs ended = opened + 60'000;
  presence().keep({}, std::vector<EndedSession>{{"bob", "phone", ended, ended}, {"bob", "other", ended - 5, ended}},
                  now_);
  EXPECT_EQ(look("alice", {"bob"})[0]["last_seen"], ended);
  EXPECT_EQ(ask("bob", "device.list")["devices"][0]["last_seen"], ended);
  presence().keep({}, std::vector<EndedSession>{{"bob", "phone", ended - 1, ended}}, now_);
  EXPECT_EQ(look("alice", {"bob"})[0]["last_seen"], ended) << "a late word about an earlier end";
}

TEST_F(Presences, AWrongRequestIsRefusedWithTheValue) {
  start();
  add_users({"alice"});
  EXPECT_EQ(refused("alice", "presence.get", json::object(), "users"), "bad_field");
  EXPECT_EQ(refused("alice", "presence.get", {{"users", Names()}}, "users"), "bad_field");
  EXPECT_EQ(refused("alice", "presence.get", {{"users", Names(101, "bob")}}, "101"), "bad_field");
  EXPECT_EQ(refused("alice", "presence.get", {{"users", {"b/c"}}}, "b/c"), "not_found");
  EXPECT_EQ(refused("alice", "presence.get", {{"users", {"bob"}}, {"watch", "yes"}}, "yes"), "bad_field");
}

TEST_F(Presences, ABridgeThatDoesNotKnowYetSaysSo) {
  add_users({"alice"});
  EXPECT_EQ(refused("alice", "presence.get", {{"users", {"alice"}}}, "just started"), "unavailable");
  start({{"alice", "phone", true, now_}});
  EXPECT_EQ(look("alice", {"alice"})[0]["online"], true) << "until it is known to have gone";
}

}  // namespace
}  // namespace chat::test
