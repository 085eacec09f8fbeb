// Guarantee 4: a device that subscribes gets everything above its cursor, in order per conversation, whatever the
// backlog; only what was not acknowledged can come again; a slow device never overflows the broker's queue.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/raw_mqtt.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct OfflineStack {
  static StackOptions options() { return {.users = 60}; }
};

class Guarantee4Offline : public StackSuite<OfflineStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = stack().new_group(alice_, {bob_});
    sender_ = device(alice_, {.max_inflight = 100, .acknowledge_every = 50});
  }

  std::string phone() const { return bob_ + "-phone"; }

  // Bob's phone was here before, so that it is no device seen for the first time.
  void introduce(const std::string& id) {
    const auto known = device(bob_, {.device = id});
    known->sync("end");
  }

  // Publishes `count` more and waits until PostgreSQL has the last.
  void send(int count, const std::string& padding = "") {
    for (int i = 1; i < count; ++i) {
      sender_->mqtt().publish_async(message_topic(conv_), text(sender_->new_id(), "waiting" + padding).dump(), nullptr);
    }
    last_ = sender_->sent(sender_->send(conv_, "waiting" + padding)).at("seq");
  }

  static std::vector<std::int64_t> range(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> numbers;
    for (; from <= to; ++from) numbers.push_back(from);
    return numbers;
  }

  std::string alice_;
  std::string bob_;
  std::string conv_;
  std::int64_t last_ = 0;
  std::unique_ptr<ChatClient> sender_;
};

TEST_F(Guarantee4Offline, FiveThousandMessagesWaitForOneDeviceAndNoneIsLost) {
  introduce(phone());
  send(5000);
  const auto phone_again = device(bob_, {.device = phone(), .acknowledge_every = 40});
  const auto begin = phone_again->sync("begin");
  EXPECT_EQ(begin.at("messages"), 5000);
  EXPECT_EQ(begin.at("conversations"), 1);
  phone_again->expect_through(conv_, 5000);
  EXPECT_EQ(phone_again->seqs(conv_), range(1, 5000)) << "in order, none twice";
  phone_again->sync("end");
}

TEST_F(Guarantee4Offline, TheNoticesOfTheCatchUpStandRoundIt) {
  introduce(phone());
  send(250);
  const auto again = device(bob_, {.device = phone(), .acknowledge_every = 10});
  again->sync("end");
  const auto received = again->mqtt().received();
  const auto at = [&](const std::function<bool(const Message&)>& wanted) {
    return std::find_if(received.begin(), received.end(), wanted) - received.begin();
  };
  const auto state = [&](const char* which) {
    return at([&](const Message& message) {
      return message.topic == again->own("sync") && field(message, "state") == which;
    });
  };
  const auto first = at([&](const Message& message) { return message.topic == again->own("inbox"); });
  EXPECT_LT(state("begin"), first);
  EXPECT_GT(state("end"), first + 249);
}

TEST_F(Guarantee4Offline, WhatWasNotAcknowledgedComesAgainAndWhatWasDoesNot) {
  introduce(phone());
  send(10);
  {
    const auto once = device(bob_, {.device = phone()});
    once->expect_through(conv_, 10);
    once->acknowledge(conv_, 6);
  }
  const auto again = device(bob_, {.device = phone()});
  again->sync("end");
  EXPECT_EQ(again->seqs(conv_), range(7, 10));
  again->acknowledge_all();
  again->mqtt().disconnect();
  const auto third = device(bob_, {.device = phone()});
  EXPECT_EQ(third->sync("begin").at("messages"), 0);
  third->sync("end");
  EXPECT_TRUE(third->seqs(conv_).empty());
}

TEST_F(Guarantee4Offline, EachDeviceHasACursorOfItsOwn) {
  const auto laptop = bob_ + "-laptop";
  introduce(phone());
  introduce(laptop);
  send(5);
  {
    const auto here = device(bob_, {.device = phone()});
    here->expect_through(conv_, 5);
    here->acknowledge_all();
  }
  const auto there = device(bob_, {.device = laptop});
  there->sync("end");
  EXPECT_EQ(there->seqs(conv_), range(1, 5));
}

TEST_F(Guarantee4Offline, ADeviceSeenForTheFirstTimeStartsAtWhatItsUserHasRead) {
  introduce(phone());
  send(8);
  {
    const auto reading = device(bob_, {.device = phone()});
    reading->expect_through(conv_, 8);
    EXPECT_LT(reading->mqtt().publish("chat/c/" + conv_ + "/read", nlohmann::json{{"seq", 5}}), 0x80);
    auto looking = database();
    eventually("the read cursor in PostgreSQL", [&] { return stored_read(looking, conv_, bob_) == 5; });
  }
  const auto tablet = device(bob_, {.device = bob_ + "-tablet"});
  tablet->sync("end");
  EXPECT_EQ(tablet->seqs(conv_), range(6, 8));
  // Reading implies delivered: the phone has everything up to there as well.
  const auto again = device(bob_, {.device = phone()});
  again->sync("end");
  EXPECT_EQ(again->seqs(conv_), range(6, 8));
}

TEST_F(Guarantee4Offline, ANewMemberSeesOnlyWhatCameAfterJoining) {
  send(5);
  const auto carol = stack().new_user();
  stack().chatctl({"member", "add", conv_, carol});
  sender_->mqtt().expect("the event of carol's joining", [&](const Message& message) {
    return message.topic == sender_->own("event") && field(message, "user") == carol;
  });
  send(3);
  const auto joined = device(carol);
  joined->sync("end");
  EXPECT_EQ(joined->seqs(conv_), range(6, 8));
}

TEST_F(Guarantee4Offline, ReplayNewestGivesTheNewestAndNamesTheGap) {
  introduce(phone());
  stack().chatctl({"device", "set", bob_, phone(), "--replay", "newest", "--limit", "5"});
  send(20);
  const auto again = device(bob_, {.device = phone()});
  const auto limited = again->sync("limited");
  EXPECT_EQ(limited.at("conv"), conv_);
  EXPECT_EQ(limited.at("from"), 1);
  EXPECT_EQ(limited.at("to"), 15);
  again->sync("end");
  EXPECT_EQ(again->seqs(conv_), range(16, 20));
}

TEST_F(Guarantee4Offline, ADeviceThatCannotAcknowledgeIsServedAndGetsNothingTwice) {
  introduce(phone());
  stack().chatctl({"device", "set", bob_, phone(), "--ack", "auto"});
  send(300);  // three windows: without pacing by time it would stop at the first
  {
    const auto lamp = device(bob_, {.device = phone(), .protocol = kMqtt311});
    lamp->expect_through(conv_, 300);
    lamp->sync("end");
    EXPECT_EQ(lamp->seqs(conv_), range(1, 300));
    auto looking = database();
    eventually("its cursor in PostgreSQL", [&] { return stored_delivered(looking, conv_, bob_, phone()) == 300; });
  }
  const auto again = device(bob_, {.device = phone(), .protocol = kMqtt311});
  again->sync("end");
  EXPECT_TRUE(again->seqs(conv_).empty());
}

TEST_F(Guarantee4Offline, AResumedSessionOpensTheTapByChatSync) {
  for (const int protocol : {kMqtt311, kMqtt5}) {
    const DeviceOptions resuming{.device = phone() + std::to_string(protocol),
                                 .protocol = protocol,
                                 .clean_start = false,
                                 .session_expiry_s = 3600,
                                 .subscribe = false};
    const auto before = last_;
    {
      const auto first = device(bob_, resuming);
      first->open();
      first->sync("end");
      first->acknowledge_all();
    }
    // What is sent to a connection that the broker still takes for alive waits in the session, and comes again.
    eventually("the broker to notice the end", [&] {
      const auto log = stack().broker_log_tail();
      const auto end = log.rfind("Client " + resuming.device);
      if (end == std::string::npos) return false;
      // Which of the two is said depends on whether the broker reads the DISCONNECT in front of the socket's end.
      const auto said = log.substr(end, log.find('\n', end) - end);
      return said.find("disconnected") != std::string::npos || said.find("closed its connection") != std::string::npos;
    });
    send(5);
    const auto again = device(bob_, resuming);
    EXPECT_TRUE(again->mqtt().session_present());
    EXPECT_LT(again->mqtt().publish("chat/sync", std::string("{}")), 0x80);
    // The broker repeats what it takes for unacknowledged, and that can be the first catch-up's notices. So it is the
    // last "begin" that counts, and the first "end" behind that.
    const auto notice = [&](const std::string& state) {
      return [this, state](const Message& message) {
        return message.topic == "chat/u/" + bob_ + "/sync" && field(message, "state") == state;
      };
    };
    const auto in_front_of_end = [&] {
      const auto all = again->mqtt().received();
      const auto begin = std::find_if(all.rbegin(), all.rend(), notice("begin")).base();
      const auto end = std::find_if(begin, all.end(), notice("end"));
      const auto inbox = "chat/u/" + bob_ + "/inbox";
      const auto count = std::count_if(begin, end, [&](const Message& message) { return message.topic == inbox; });
      return end == all.end() ? -1 : static_cast<int>(count);
    };
    eventually("what was missed, and its end",
               [&] { return again->seqs(conv_).size() >= 5 && in_front_of_end() >= 0; });
    EXPECT_EQ(in_front_of_end(), 5) << "protocol " << protocol;
    EXPECT_EQ(again->seqs(conv_), range(before + 1, last_)) << "protocol " << protocol;
    again->acknowledge_all();
  }
}

TEST_F(Guarantee4Offline, EventsWaitLikeMessages) {
  introduce(phone());
  const auto carol = stack().new_user();
  stack().chatctl({"member", "add", conv_, carol});
  const auto is_joining = [&](const Message& message) {
    return message.topic == "chat/u/" + bob_ + "/event" && field(message, "user") == carol;
  };
  {
    const auto once = device(bob_, {.device = phone()});
    const auto event = once->mqtt().expect("the event", is_joining);
    EXPECT_EQ(event.json.at("kind"), "member.added");
    EXPECT_EQ(event.json.at("conv"), conv_);
  }
  {
    const auto again = device(bob_, {.device = phone()});
    again->mqtt().expect("the event, not acknowledged before", is_joining);
    again->acknowledge_all();
  }
  const auto third = device(bob_, {.device = phone()});
  third->sync("end");
  EXPECT_TRUE(third->mqtt().received(is_joining).empty());
}

TEST_F(Guarantee4Offline, ManyConversationsAreEachInOrder) {
  constexpr int kConversations = 20;
  constexpr int kEach = 30;
  introduce(phone());
  std::vector<std::string> convs;
  for (int i = 0; i < kConversations; ++i) convs.push_back(stack().new_group(alice_, {bob_}));
  std::string last;
  for (int i = 0; i < kEach; ++i) {
    for (const auto& conv : convs) last = sender_->send(conv, "x");
  }
  sender_->sent(last);
  const auto again = device(bob_, {.device = phone(), .acknowledge_every = 25});
  EXPECT_EQ(again->sync("begin").at("conversations"), kConversations);
  again->sync("end");
  for (const auto& conv : convs) EXPECT_EQ(again->seqs(conv), range(1, kEach)) << conv;
}

TEST_F(Guarantee4Offline, WhatIsSentDuringTheCatchUpComesBehindIt) {
  introduce(phone());
  send(1000);
  const auto again = device(bob_, {.device = phone(), .acknowledge_every = 20});
  send(1000);
  again->expect_through(conv_, 2000);
  EXPECT_EQ(again->seqs(conv_), range(1, 2000));
}

TEST_F(Guarantee4Offline, ADeviceThatDoesNotAcknowledgeGetsAWindowAndTheRestWhenItDoes) {
  introduce(phone());
  const auto slow = device(bob_, {.device = phone()});
  slow->sync("end");
  send(3000);
  slow->expect_through(conv_, 100);
  // Other topics go on; what comes behind this round trip would have come before it, had the broker been given more.
  slow->mqtt().publish("chat/c/" + conv_ + "/delivered", std::string("no json"));
  slow->error("bad_json");
  EXPECT_EQ(slow->seqs(conv_), range(1, 100));
  for (std::int64_t seen = 100; seen < 3000; seen = static_cast<std::int64_t>(slow->seqs(conv_).size())) {
    slow->acknowledge(conv_, seen);
    slow->expect_through(conv_, std::min<std::int64_t>(seen + 100, 3000));
  }
  EXPECT_EQ(slow->seqs(conv_), range(1, 3000));
}

// The socket's buffer is full, then the broker's queue; nothing of what it queued or dropped may be missing in the end.
TEST_F(Guarantee4Offline, ADeviceThatStoppedReadingWhileLiveGetsTheRestWithoutReconnecting) {
  introduce(phone());
  RawMqtt slow(port(), {.client_id = phone(), .user = bob_, .receive_buffer = 4096});
  ASSERT_EQ(slow.connect(), 0);
  slow.subscribe("chat/u/" + bob_ + "/#", 1, 1);
  slow.expect(PacketType::kSuback);
  slow.expect(PacketType::kPublish,
              [](const Packet& packet) { return packet.payload.find("\"end\"") != std::string::npos; });
  send(2000, std::string(2000, '.'));
  std::int64_t seen = 0;
  while (seen < last_) {
    const auto packet = slow.expect(PacketType::kPublish);
    if (packet.id != 0) slow.answer(PacketType::kPuback, packet.id);
    if (packet.topic != "chat/u/" + bob_ + "/inbox") continue;
    ASSERT_EQ(nlohmann::json::parse(packet.payload).at("seq").get<std::int64_t>(), ++seen);
    if (seen % 20 == 0) {
      slow.publish("chat/c/" + conv_ + "/delivered", nlohmann::json{{"seq", seen}}.dump(), {.qos = 0});
    }
  }
}

// The broker drops without a word what does not fit into its queue of 1,000. A flood from outside of the chat fills it;
// the device then sees a hole and asks for what is missing.
TEST_F(Guarantee4Offline, AHoleThatTheBrokersFullQueueMadeIsFilledByChatSync) {
  introduce(phone());
  RawMqtt flooded(port(), {.client_id = phone(), .user = bob_, .receive_buffer = 4096});
  ASSERT_EQ(flooded.connect(), 0);
  flooded.subscribe("flood/" + bob_, 1, 1);
  flooded.expect(PacketType::kSuback);
  flooded.subscribe("chat/u/" + bob_ + "/#", 1, 2);
  flooded.expect(PacketType::kPublish,
                 [](const Packet& packet) { return packet.payload.find("\"end\"") != std::string::npos; });
  const std::string filling(2000, '.');
  for (int i = 0; i < 2000; ++i) sender_->mqtt().publish_async("flood/" + bob_, filling, nullptr);
  eventually("the flood to be taken", [&] { return sender_->mqtt().under_way() == 0; });
  send(50);

  std::set<std::int64_t> seen;
  const auto read_one = [&] {
    const auto packet = flooded.expect(PacketType::kPublish);
    if (packet.id != 0) flooded.answer(PacketType::kPuback, packet.id);
    if (packet.topic == "chat/u/" + bob_ + "/inbox") {
      seen.insert(nlohmann::json::parse(packet.payload).at("seq").get<std::int64_t>());
    }
    return packet.topic == "flood/" + bob_;
  };
  for (int read = 0; read < 900; read += read_one() ? 1 : 0) {
  }
  send(1);  // finds room in the queue
  while (seen.count(51) == 0) read_one();
  ASSERT_LT(seen.size(), 51U) << "nothing was dropped: the test tested nothing";
  flooded.publish("chat/sync", "{}", {.qos = 0});
  while (seen.size() < 51) read_one();
}

}  // namespace
}  // namespace chat::test
