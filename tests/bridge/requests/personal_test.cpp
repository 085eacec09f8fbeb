// device.list, device.set, profile.get, profile.set, settings.set, message.delete
#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

using Personal = RequestSuite;

TEST_F(Personal, ADevicesSettingsAreSetOneByOne) {
  const auto first = ask("alice", "device.set", {{"device", "watch"}, {"replay", "newest"}, {"limit", 20}});
  EXPECT_EQ(first["device"], "watch");
  const auto second = ask("alice", "device.set", {{"device", "watch"}, {"ack", "auto"}});
  EXPECT_EQ(second["replay"], "newest");
  EXPECT_EQ(second["limit"], 20);
  EXPECT_EQ(second["ack"], "auto");
  ask("alice", "device.set", {{"device", "lamp"}});
  const auto list = ask("alice", "device.list")["devices"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0], json({{"device", "lamp"},
                           {"first_seen", 0},
                           {"last_seen", 0},
                           {"replay", nullptr},
                           {"limit", nullptr},
                           {"ack", nullptr}}));
  EXPECT_EQ(list[1]["ack"], "auto");
  EXPECT_EQ(ask("bob", "device.list")["devices"].size(), 0U) << "they are one's own";
}

TEST_F(Personal, ADeviceSettingThatIsNoneIsRefused) {
  const auto set = [&](const json& fields, const std::string& value) {
    return refused("alice", "device.set", fields, value);
  };
  EXPECT_EQ(set(json::object(), "device is missing"), "bad_field");
  EXPECT_EQ(set({{"device", ""}}, "\"\""), "bad_field");
  EXPECT_EQ(set({{"device", std::string(257, 'd')}}, "ddd"), "bad_field");
  EXPECT_EQ(set({{"device", "d"}, {"replay", "some"}}, "\"some\""), "bad_field");
  EXPECT_EQ(set({{"device", "d"}, {"ack", 1}}, "ack is 1"), "bad_field");
  EXPECT_EQ(set({{"device", "d"}, {"limit", 0}}, "limit is 0"), "bad_field");
  EXPECT_EQ(set({{"device", "d"}, {"limit", 10'001}}, "10001"), "bad_field");
  EXPECT_EQ(number("SELECT count(*) FROM devices"), 0);
}

TEST_F(Personal, PagesOfDevicesGiveEachExactlyOnce) {
  std::vector<std::string> all;
  for (char c = 'a'; c <= 'p'; ++c) all.push_back(std::string("device ") + c);
  for (const auto& device : all) ask("alice", "device.set", {{"device", device}});
  for (const int limit : {1, 5, 15, 16, 17}) {
    std::vector<std::string> paged;
    json fields{{"limit", limit}};
    for (bool more = true; more;) {
      const auto page = ask("alice", "device.list", fields);
      for (const auto& row : page["devices"]) paged.push_back(row["device"]);
      more = page.contains("cursor");
      if (more) fields["cursor"] = page["cursor"];
    }
    EXPECT_EQ(paged, all) << limit;
  }
}

TEST_F(Personal, AProfileIsSetOneByOneAndReadByAnybody) {
  ask("alice", "profile.set", {{"name", "Alice"}, {"avatar", "a.png"}});
  ask("alice", "profile.set", {{"about", "Gärtnerin 🌱"}, {"avatar", ""}});
  add_users({"bob"});
  EXPECT_EQ(ask("bob", "profile.get", {{"users", {"bob", "alice"}}})["profiles"],
            json({{{"user", "bob"}, {"name", ""}, {"avatar", ""}, {"about", ""}},
                  {{"user", "alice"}, {"name", "Alice"}, {"avatar", ""}, {"about", "Gärtnerin 🌱"}}}));
}

TEST_F(Personal, AProfileThatIsNoneIsRefused) {
  const auto set = [&](const char* name, const json& value, const std::string& shown) {
    return refused("alice", "profile.set", {{name, value}}, shown);
  };
  EXPECT_EQ(set("name", 1, "name is 1"), "bad_field");
  EXPECT_EQ(set("name", std::string(256, 'n'), "nnn"), "bad_field");
  EXPECT_EQ(set("avatar", std::string(1025, 'a'), "aaa"), "bad_field");
  EXPECT_EQ(set("about", std::string(1025, 'b'), "bbb"), "bad_field");
  EXPECT_EQ(refused("alice", "profile.get", json::object(), "users is missing"), "bad_field");
  EXPECT_EQ(refused("alice", "profile.get", {{"users", {"zoe"}}}, "\"zoe\""), "not_found");
  EXPECT_EQ(refused("alice", "profile.get", {{"users", std::vector<std::string>(101, "a")}}, "101"), "bad_field");
}

TEST_F(Personal, SettingsAreSetOneByOneAndMutedOnesAreNotInTheTotal) {
  const auto conv = group({"alice", "bob"});
  send(conv, "bob");
  EXPECT_EQ(ask("alice", "unread.get")["total"], 1);
  ask("alice", "settings.set", {{"conv", conv}, {"muted", true}, {"draft", "Dear"}});
  ask("alice", "settings.set", {{"conv", conv}, {"pinned", true}});
  auto got = ask("alice", "conversation.get", {{"conv", conv}});
  EXPECT_EQ(got["muted"], true);
  EXPECT_EQ(got["pinned"], true);
  EXPECT_EQ(got["draft"], "Dear");
  const auto unread = ask("alice", "unread.get");
  EXPECT_EQ(unread["total"], 0);
  EXPECT_EQ(unread["conversations"][0]["unread"], 1);
  ask("alice", "settings.set", {{"conv", conv}, {"muted", false}, {"pinned", false}, {"draft", ""}});
  got = ask("alice", "conversation.get", {{"conv", conv}});
  EXPECT_EQ(got["muted"], false);
  EXPECT_EQ(got["pinned"], false);
  EXPECT_EQ(got["draft"], "");
  EXPECT_EQ(ask("alice", "unread.get")["total"], 1);
}

TEST_F(Personal, ASettingThatIsNoneIsRefused) {
  const auto conv = group({"alice", "bob"});
  const auto set = [&](const char* name, const json& value, const std::string& shown) {
    return refused("alice", "settings.set", {{"conv", conv}, {name, value}}, shown);
  };
  EXPECT_EQ(set("muted", 1, "muted is 1"), "bad_field");
  EXPECT_EQ(set("pinned", "x", "pinned is \"x\""), "bad_field");
  EXPECT_EQ(set("draft", std::string(16'385, 'd'), "ddd"), "bad_field");
  EXPECT_EQ(set("draft", nullptr, "draft is null"), "bad_field");
}

TEST_F(Personal, WhatIsDeletedForOneselfStaysForTheOthers) {
  const auto conv = group({"alice", "bob", "carol"});
  send_many(conv, "alice", 5);
  const auto unread = [&](const std::string& user) { return ask(user, "unread.get", {{"conv", conv}})["unread"]; };
  ask("bob", "message.delete", {{"conv", conv}, {"seqs", {2, 4, 2}}});
  EXPECT_EQ(unread("bob"), 3);
  ask("bob", "message.delete", {{"conv", conv}, {"seqs", {4}}});
  EXPECT_EQ(unread("bob"), 3) << "once is enough";
  ask("bob", "message.delete", {{"conv", conv}, {"to", 3}});
  EXPECT_EQ(unread("bob"), 1);
  ask("bob", "message.delete", {{"conv", conv}, {"to", 1}});
  EXPECT_EQ(unread("bob"), 1) << "it never falls";
  EXPECT_EQ(unread("carol"), 5);
  EXPECT_EQ(number("SELECT count(*) FROM hidden_messages"), 1) << "what deleted_to covers needs no row";
}

TEST_F(Personal, ADeletionThatIsNoneIsRefused) {
  const auto conv = group({"alice", "bob"});
  send_many(conv, "alice", 3);
  add_users({"carol"});
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
  const auto remove = [&](const char* name, const json& value, const std::string& shown) {
    return refused("bob", "message.delete", {{"conv", conv}, {name, value}}, shown);
  };
  EXPECT_EQ(remove("to", 0, "to is 0"), "bad_field");
  EXPECT_EQ(remove("to", 4, "message 4"), "not_found");
  EXPECT_EQ(remove("seqs", {4}, "message 4"), "not_found");
  EXPECT_EQ(remove("seqs", json::array(), "an array"), "bad_field");
  EXPECT_EQ(remove("seqs", 3, "seqs is 3"), "bad_field");
  EXPECT_EQ(remove("seqs", {1, "2"}, "holds \"2\""), "bad_field");
  EXPECT_EQ(remove("seqs", std::vector<int>(501, 1), "501"), "bad_field");
  EXPECT_EQ(refused("bob", "message.delete", {{"conv", conv}}, "seqs is missing"), "bad_field");
  EXPECT_EQ(refused("bob", "message.delete", {{"conv", conv}, {"seqs", {1}}, {"to", 1}}, "not both"), "bad_field");
  EXPECT_EQ(refused("carol", "message.delete", {{"conv", conv}, {"seqs", {3}}}, "message 3"), "not_found");
}

}  // namespace
}  // namespace chat::test
