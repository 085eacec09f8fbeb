// Groups that chatctl makes and changes while the broker runs, and a memory that holds fewer conversations than there
// are.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct ConversationsStack {
  static StackOptions options() { return {}; }
};
using Conversations = StackSuite<ConversationsStack>;

TEST_F(Conversations, AGroupMadeWhileTheBrokerRunsIsUsableAtOnce) {
  const auto users = stack().new_users(2);
  const auto sender = device(users[0]);
  const auto receiver = device(users[1]);
  receiver->sync("end");
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto id = sender->send(conv, "hello");
  EXPECT_EQ(receiver->message_with_id(id).json.at("seq"), 1);
}

TEST_F(Conversations, AGroupThatWasAskedForTooEarlyIsThereWhenItIsMade) {
  const auto user = stack().new_user();
  const auto sender = device(user);
  sender->mqtt().publish(message_topic("g:not-yet-made"), text("early", "x"));
  EXPECT_EQ(sender->error_for("early").at("code"), "not_found");
  // The answer "there is none" must not be remembered for names to come.
  const auto conv = stack().new_group(user);
  EXPECT_EQ(sender->sent(sender->send(conv, "x")).at("seq"), 1);
}

TEST_F(Conversations, AMemberWhoIsAddedTakesPartWithoutARestartAndEverybodyLearnsOfIt) {
  const auto users = stack().new_users(3);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto added = device(users[2]);
  sender->sent(sender->send(conv, "before"));
  EXPECT_EQ(added->mqtt().publish(message_topic(conv), text("early", "x")), kNotAuthorised);
  stack().chatctl({"member", "add", conv, users[2]});
  for (auto* client : {sender.get(), added.get()}) {
    const auto event = client->mqtt().expect("the event", [&](const Message& message) {
      return message.topic == client->own("event") && field(message, "kind") == "member.added" &&
             field(message, "user") == users[2];
    });
    EXPECT_EQ(event.json.at("conv"), conv);
    EXPECT_GE(event.json.at("rev").get<std::int64_t>(), 1);
  }
  const auto id = added->send(conv, "thank you");
  EXPECT_EQ(sender->message_with_id(id).json.at("from"), users[2]);
  added->message_with_id(id);
  EXPECT_EQ(added->seqs(conv), std::vector<std::int64_t>{2}) << "nothing from before the joining";
}

TEST_F(Conversations, AMemberWhoIsRemovedAndAddedAgainSeesNothingOfTheTimeBetween) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto member = device(users[1]);
  const auto kind = [&](const std::string& wanted, std::size_t from) {
    member->mqtt().expect(
        wanted,
        [&](const Message& message) { return field(message, "kind") == wanted && field(message, "user") == users[1]; },
        from);
  };
  member->message_with_id(sender->send(conv, "one"));
  auto from = member->mqtt().received_count();
  stack().chatctl({"member", "remove", conv, users[1]});
  kind("member.removed", from);
  sender->sent(sender->send(conv, "two"));
  from = member->mqtt().received_count();
  stack().chatctl({"member", "add", conv, users[1]});
  kind("member.added", from);
  member->message_with_id(sender->send(conv, "three"));
  EXPECT_EQ(member->seqs(conv), (std::vector<std::int64_t>{1, 3}));
}

TEST_F(Conversations, AChangeMadeWhilePostgresRestartsIsNotMissed) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0]);
  const auto sender = device(users[0]);
  const auto added = device(users[1]);
  sender->sent(sender->send(conv, "in memory now"));
  stack().restart("postgres");
  stack().chatctl({"member", "add", conv, users[1]});  // before or after the broker listens again
  eventually("the new member being one",
             [&] { return added->mqtt().publish(message_topic(conv), text(added->new_id(), "x")) < 0x80; });
}

TEST_F(Conversations, AUserWhoWasNeverAddedByHandIsKnownAfterTheFirstConnection) {
  const std::string name = "walk-in-" + stack().new_user();
  stack().add_users({name}, false);
  const auto owner = stack().new_user();
  const auto walk_in = device(name);
  eventually("the user in PostgreSQL", [&] {
    auto looking = database();
    return looking.number("SELECT count(*) FROM users WHERE name = " + looking.quote(name)) == 1;
  });
  const auto sender = device(owner);
  const auto id = sender->send_direct(name, "welcome");
  EXPECT_EQ(walk_in->message_with_id(id).json.at("from"), owner);
}

TEST_F(Conversations, ADevicesSettingTakesEffectWithoutARestart) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto phone = users[1] + "-phone";
  const auto sender = device(users[0]);
  { device(users[1], {.device = phone})->sync("end"); }
  const auto shown = stack().chatctl({"device", "set", users[1], phone, "--replay", "newest", "--limit", "2"});
  EXPECT_NE(shown.dump().find("newest"), std::string::npos);
  std::string last;
  for (int i = 0; i < 6; ++i) last = sender->send(conv, "x");
  sender->sent(last);
  const auto back = device(users[1], {.device = phone});
  back->sync("end");
  EXPECT_EQ(back->seqs(conv), (std::vector<std::int64_t>{5, 6}));
}

struct SmallMemoryStack {
  static StackOptions options() {
    return {.plugin = {{"cache_mb", "1"}, {"hot_tail_mb", "1"}, {"recent_ids", "16"}}, .users = 12};
  }
};

// A conversation under test, and a crowd whose size decides whether anything else fits into memory beside it.
class SmallMemory : public StackSuite<SmallMemoryStack> {
 protected:
  static constexpr int kCrowd = 20'000;

  void SetUp() override {
    const auto users = stack().new_users(4);
    alice_ = users[0];
    bob_ = users[1];
    newcomer_ = users[3];
    conv_ = stack().new_group(alice_, {bob_});
    crowd_ = stack().new_group(alice_);
    sender_ = device(alice_);
    receiver_ = device(bob_, {.acknowledge_every = 20});
    stranger_ = device(users[2]);
    sender_->sent(sender_->send(crowd_, "in memory now"));
    sender_->sent(sender_->send(conv_, "in memory now"));
    ASSERT_TRUE(is_in_memory());
  }

  // A stranger is refused in the PUBACK where the conversation is in memory, and later, on the error topic, where it is
  // not. (Asking makes the broker load it.)
  bool is_in_memory() {
    const auto id = stranger_->new_id();
    const bool at_once = stranger_->mqtt().publish(message_topic(conv_), text(id, "x")) == kNotAuthorised;
    asked_ = id;
    return at_once;
  }

  // Lets the crowd grow until it fills the memory alone. That it does is a change which PostgreSQL tells the broker of,
  // so it is taken in also while the journal is far ahead of PostgreSQL.
  void push_out() {
    auto looking = database();
    const auto count = std::to_string(kCrowd);
    looking.query("INSERT INTO users (name, created_at) SELECT 'crowd-' || i, 1 FROM generate_series(1, " + count +
                  ") i ON CONFLICT DO NOTHING");
    looking.query(
        "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) SELECT c.id, 'crowd-' || i, 1, 1, 1 "
        "FROM "
        "conversations c, generate_series(1, " +
        count + ") i WHERE c.name = " + looking.quote(crowd_));
    stack().chatctl({"member", "add", crowd_, newcomer_});
    sender_->mqtt().expect("the crowd's last member", [&](const Message& message) {
      return field(message, "kind") == "member.added" && field(message, "user") == newcomer_;
    });
  }

  std::string alice_, bob_, newcomer_, conv_, crowd_, asked_;
  std::unique_ptr<ChatClient> sender_, receiver_, stranger_;
};

TEST_F(SmallMemory, AConversationThatWasForgottenGoesOnWhereItWas) {
  for (int i = 0; i < 4; ++i) sender_->send(conv_, "x");
  push_out();
  EXPECT_FALSE(is_in_memory()) << "nothing was forgotten: the test tested nothing";
  const auto id = sender_->send(conv_, "x");
  EXPECT_EQ(sender_->sent(id).at("seq"), 6);
  EXPECT_EQ(receiver_->message_with_id(id).json.at("seq"), 6);
  EXPECT_EQ(stranger_->error_for(asked_).at("code"), "not_member");
}

// The trap: what PostgreSQL says of the conversation is older than what the journal has of it.
TEST_F(SmallMemory, AForgottenConversationIsLoadedRightWhilePostgresLagsBehindTheJournal) {
  TableLock lock(stack().pg(), "messages");  // conversations can be read; messages can't be committed
  std::string last;
  for (int i = 0; i < 20; ++i) last = sender_->send(conv_, "x");
  receiver_->message_with_id(last);
  push_out();
  EXPECT_FALSE(is_in_memory()) << "nothing was forgotten: the test tested nothing";
  const auto behind = sender_->send(conv_, "behind them");
  const auto retry = sender_->new_id();
  sender_->mqtt().publish(message_topic(conv_), text(retry, "twice"));
  sender_->mqtt().publish(message_topic(conv_), text(retry, "twice"));
  EXPECT_FALSE(sender_->has_sent(last)) << "the lock held nothing up: the test tested nothing";
  lock.release();
  EXPECT_EQ(sender_->sent(behind).at("seq"), 22);
  EXPECT_EQ(sender_->sent(retry).at("seq"), 23);
  EXPECT_EQ(receiver_->message_with_id(retry).json.at("seq"), 23);
  EXPECT_EQ(stranger_->error_for(asked_).at("code"), "not_member");
  auto looking = database();
  const auto rows = stored_messages(looking, conv_);
  ASSERT_EQ(rows.size(), 23U);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].seq, static_cast<std::int64_t>(i) + 1);
  receiver_->expect_through(conv_, 23);
  EXPECT_EQ(receiver_->seqs(conv_).size(), 23U) << "something came twice";
}

// Within the option recent_ids, which says how many of a sender's last messages are told from new ones.
TEST_F(SmallMemory, ARetryOfOneOfTheLatestMessagesIsRecognisedAfterItWasForgotten) {
  const auto id = sender_->send(conv_, "once");
  const auto before = sender_->sent(id);
  for (int i = 0; i < 12; ++i) sender_->send(conv_, "others");
  sender_->sent(sender_->send(conv_, "the last of them"));
  push_out();
  sender_->mqtt().forget();
  sender_->mqtt().publish(message_topic(conv_), text(id, "once"));
  EXPECT_EQ(sender_->sent(id), before);
}

}  // namespace
}  // namespace chat::test
