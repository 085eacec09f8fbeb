// A message with a ttl, from the time at which it expires: no device is handed its text, wherever that lay.
#include "storage/stamped.h"
#include "tests/core/support/hub_rig.h"

namespace chat::test {
namespace {

class Expiry : public HubRig {
 protected:
  void start(std::size_t tail_bytes) {
    options.outflow.window = 2;
    options.tail_bytes = tail_bytes;
    restart();
    conv_ = group("alice", {"bob"});
    alice_ = connect("alice", "a1");
    bob_ = online("bob", "b1");
    for (int i = 1; i <= 4; ++i) {
      const nlohmann::json message{{"id", std::to_string(i)}, {"body", "secret"}, {"ttl", 10}};
      publish(alice_, "chat/c/" + conv_ + "/msg", message.dump());
    }
    settle();
    ASSERT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2}));
  }

  // Bob reads on, and gets what is above `had` without its text.
  void expect_tombstones(Seq had) {
    clock.pass(10'000);
    ack(bob_, conv_, had);
    settle();
    const auto all = received(bob_);
    ASSERT_EQ(all.size(), 4U);
    const auto whole = static_cast<std::size_t>(had);
    for (std::size_t i = 0; i < whole; ++i) EXPECT_NE(all[i].payload.find("secret"), std::string::npos);
    for (std::size_t i = whole; i < 4; ++i) {
      const auto stored = store.messages_above(
          std::vector<PageWant>{{.conv_id = store.find_conversation(conv_)->id, .above = all[i].seq - 1}}, 1, 1000);
      EXPECT_EQ(all[i].payload,
                stamped(conv_, all[i].seq, stored[0].server_time, "alice", stored[0].mid, R"({"expired":true})"));
    }
  }

  std::string conv_;
  Phone alice_;
  Phone bob_;
};

TEST_F(Expiry, WhatWaitedInTheTailIsHandedOverAsATombstone) {
  start(1 << 20);
  expect_tombstones(2);
}

TEST_F(Expiry, WhatWaitedInAPageIsHandedOverAsATombstone) {
  start(1);  // the tail holds the latest only
  ack(bob_, conv_, 1);
  settle();  // 3 and 4 were read, and there is room for 3
  ASSERT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2, 3}));
  expect_tombstones(3);
}

TEST_F(Expiry, ARecalledMessageStaysRecalled) {
  start(1 << 20);
  store.rewrite(conv_, {.seq = 3, .recalled = true, .by = "alice", .at = clock.now(), .body = {}});
  hear_changes();
  settle();
  clock.pass(10'000);
  ack(bob_, conv_, 2);
  settle();
  ASSERT_EQ(seqs(bob_, conv_), (std::vector<Seq>{1, 2, 3, 4}));
  std::vector<Received> messages;
  for (const auto& one : received(bob_)) {
    if (one.seq > 0) messages.push_back(one);
  }
  EXPECT_NE(messages[2].payload.find("\"recalled\":true"), std::string::npos) << messages[2].payload;
  EXPECT_NE(messages[3].payload.find("\"expired\":true"), std::string::npos) << messages[3].payload;
}

}  // namespace
}  // namespace chat::test
