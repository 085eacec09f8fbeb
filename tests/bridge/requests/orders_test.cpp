// message.forward and device.kick: what a request asks the plugin to do, and that it is asked once.
#include "storage/forwarded.h"
#include "tests/bridge/requests/request_suite.h"

namespace chat::test {
namespace {

class Orders : public RequestSuite {
 protected:
  std::int64_t orders(const std::string& user, const std::string& leaf) {
    return number("SELECT count(*) FROM outgoing WHERE user_name = '" + user + "' AND leaf = '" + leaf + "'");
  }
  std::int64_t holding(const std::string& text) {
    return number("SELECT count(*) FROM outgoing WHERE strpos(payload, '" + text + "') > 0");
  }
};

TEST_F(Orders, AMessageIsForwardedToConversationsAndUsers) {
  const auto conv = group({"alice", "bob"});
  const auto other = group({"bob", "carol"});
  send(conv, "alice",
       {.payload = R"({"id":"a","body":"the cake","reply_to":1,"mentions":["bob"],"ttl":60,"x":[1, 2]})"});
  const auto answer =
      ask("bob", "message.forward", {{"conv", conv}, {"seq", 1}, {"to", {other, "carol", other}}}).at("forwarded");
  ASSERT_EQ(answer.size(), 2U) << "named twice is the same as once";
  EXPECT_EQ(answer[0].at("conv"), other);
  EXPECT_EQ(answer[1].at("conv"), "dm:bob:carol");
  EXPECT_EQ(orders("bob", "order/forward"), 2);
  EXPECT_EQ(holding(R"({"to":")" + other + R"(","message":{"id":")" + answer[0].at("id").get<std::string>() +
                    R"(","forwarded":{"conv":")" + conv +
                    R"(","seq":1,"from":"alice"},"body":"the cake","ttl":60,"x":[1, 2]}})"),
            1);
}

TEST_F(Orders, TheSameRequestAgainForwardsNothingMore) {
  const auto conv = group({"alice", "bob"});
  send(conv, "alice");
  const json fields{{"conv", conv}, {"seq", 1}, {"to", {"alice"}}};
  const auto first = answer_text("bob", "message.forward", fields, "f-1");
  EXPECT_EQ(answer_text("bob", "message.forward", fields, "f-1"), first);
  EXPECT_EQ(orders("bob", "order/forward"), 1);
}

TEST_F(Orders, OnlyWhatOneMaySeeAndWhereOneIs) {
  const auto conv = group({"alice", "bob"});
  const auto theirs = group({"alice", "dave"});
  add_users({"carol"});
  send_many(conv, "alice", 4);
  send(conv, "alice", {.ttl_s = 10});
  ask("bob", "message.delete", {{"conv", conv}, {"to", 1}});
  ask("bob", "message.delete", {{"conv", conv}, {"seqs", {2}}});
  recall(conv, 3);
  now_ += 10'000;
  const auto forward = [&](Seq seq, const json& to) { return json{{"conv", conv}, {"seq", seq}, {"to", to}}; };
  for (const Seq seq : {1, 2, 3, 5, 6}) {
    EXPECT_EQ(refused("bob", "message.forward", forward(seq, {"carol"}), std::to_string(seq)), "not_found") << seq;
  }
  ask("alice", "member.add", {{"conv", conv}, {"users", {"carol"}}});
  EXPECT_EQ(refused("carol", "message.forward", forward(4, {"alice"}), "4"), "not_found") << "from before she joined";
  EXPECT_EQ(refused("dave", "message.forward", forward(4, {"alice"}), conv), "not_member");
  EXPECT_EQ(refused("bob", "message.forward", forward(4, {theirs}), theirs), "not_member");
  EXPECT_EQ(refused("bob", "message.forward", forward(4, {"g:none"}), "g:none"), "not_found");
  EXPECT_EQ(refused("bob", "message.forward", forward(4, {"nobody"}), "nobody"), "not_found");
  EXPECT_EQ(refused("bob", "message.forward", forward(4, {"bob"}), "bob"), "bad_field");
  EXPECT_EQ(number("SELECT count(*) FROM outgoing"), 0);
}

TEST_F(Orders, WhatIsNoOrderIsRefused) {
  const auto conv = group({"alice", "bob"});
  send(conv, "alice");
  const auto forward = [&](const json& to, const std::string& value) {
    return refused("bob", "message.forward", {{"conv", conv}, {"seq", 1}, {"to", to}}, value);
  };
  EXPECT_EQ(forward(json::array(), "at least one"), "bad_field");
  EXPECT_EQ(forward("carol", "carol"), "bad_field");
  EXPECT_EQ(forward({"not/a/name"}, "not/a/name"), "bad_field");
  EXPECT_EQ(forward(std::vector<std::string>(51, "carol"), "51"), "bad_field");
  EXPECT_EQ(refused("bob", "device.kick", json::object(), "device is missing"), "bad_field");
  EXPECT_EQ(refused("bob", "device.kick", {{"device", ""}}, "\"\""), "bad_field");
  EXPECT_EQ(refused("bob", "device.kick", {{"device", "phone"}, {"forget", 1}}, "forget is 1"), "bad_field");
}

TEST_F(Orders, AKickedDeviceIsForgottenWhereThatIsAsked) {
  const auto conv = group({"alice", "bob"});
  send(conv, "alice");
  deliver(conv, "bob", 1, "phone");
  deliver(conv, "bob", 1, "tablet");
  ask("bob", "device.kick", {{"device", "phone"}});
  EXPECT_EQ(number("SELECT count(*) FROM devices WHERE user_name = 'bob'"), 2);
  ask("bob", "device.kick", {{"device", "phone"}, {"forget", true}});
  EXPECT_EQ(number("SELECT count(*) FROM devices WHERE user_name = 'bob'"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM device_cursors WHERE user_name = 'bob' AND device = 'phone'"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM device_cursors WHERE user_name = 'bob' AND device = 'tablet'"), 1);
  EXPECT_EQ(orders("bob", "order/kick"), 2);
}

TEST(Forwarded, KeepsTheBytesOfWhatBelongsToNoPlace) {
  const ForwardedFrom from{"g:1", 7, "dave"};
  EXPECT_EQ(forwarded_payload(R"( { "id" : "x" , "body":{"a":[1, "}"]}, "\u0069d":"y","\u006b":1.50,"edited":5 } )",
                              "f", from),
            R"({"id":"f","forwarded":{"conv":"g:1","seq":7,"from":"dave"},"body":{"a":[1, "}"]},"\u006b":1.50})");
  EXPECT_EQ(forwarded_payload(R"({"body":1,"forwarded":{"conv":"g:0"}})", "f", from),
            R"({"id":"f","forwarded":{"conv":"g:1","seq":7,"from":"dave"},"body":1})");
  EXPECT_EQ(forwarded_payload(R"({"recalled":true})", "f", from), std::nullopt);
  EXPECT_TRUE(is_forwarded(R"({"id":"f","forwarded":{}})"));
  EXPECT_FALSE(is_forwarded(R"({"body":{"forwarded":1}})"));
}

}  // namespace
}  // namespace chat::test
