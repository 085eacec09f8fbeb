// Guarantee 7: while PostgreSQL is away live chat goes on among conversations in use; all of it is stored when
// PostgreSQL is back; a full journal refuses new messages with a clear error and loses none that it accepted.
#include <gtest/gtest.h>

#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

struct AwayStack {
  static StackOptions options() { return {.users = 40}; }
};

class Guarantee7PostgresAway : public StackSuite<AwayStack> {
 protected:
  void SetUp() override {
    const auto users = stack().new_users(2);
    alice_ = users[0];
    bob_ = users[1];
    conv_ = stack().new_group(alice_, {bob_});
    sender_ = device(alice_);
    receiver_ = device(bob_, {.acknowledge_every = 10});
    sender_->sent(sender_->send(conv_, "in memory now"));
    receiver_->message(conv_, 1);
  }

  void TearDown() override {
    stack().start("postgres");  // where a failed test left it down
    StackSuite::TearDown();
  }

  std::string alice_, bob_, conv_;
  std::unique_ptr<ChatClient> sender_, receiver_;
};

TEST_F(Guarantee7PostgresAway, LiveChatGoesOnAndIsStoredWhenPostgresIsBack) {
  stack().stop("postgres");
  for (int i = 0; i < 200; ++i) sender_->send(conv_, "meanwhile");
  receiver_->expect_through(conv_, 201);
  stack().start("postgres");
  auto looking = database();
  expect_stored(looking, conv_, 201);
  const auto rows = stored_messages(looking, conv_);
  ASSERT_EQ(rows.size(), 201U);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].seq, static_cast<std::int64_t>(i) + 1);
  // The acknowledgements given meanwhile are stored as well.
  receiver_->acknowledge_all();
  eventually("the cursor", [&] { return stored_delivered(looking, conv_, bob_, receiver_->device()) == 201; });
}

TEST_F(Guarantee7PostgresAway, LiveChatGoesOnWhilePostgresIsFrozen) {
  stack().freeze_postgres();
  for (int i = 0; i < 50; ++i) sender_->send(conv_, "meanwhile");
  receiver_->expect_through(conv_, 51);
  stack().thaw_postgres();
  auto looking = database();
  expect_stored(looking, conv_, 51);
}

TEST_F(Guarantee7PostgresAway, APostgresThatWasKilledGetsEverythingOnce) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i)
      sender_->mqtt().publish_async(message_topic(conv_), text(sender_->new_id(), "x").dump(), nullptr);
    stack().kill("postgres");
    stack().start("postgres");
  }
  sender_->sent(sender_->send(conv_, "the last"));
  auto looking = database();
  EXPECT_EQ(stored_count(looking, conv_), 152);
}

TEST_F(Guarantee7PostgresAway, AMessageToAConversationThatIsNotInMemoryWaitsForPostgres) {
  const auto cold = stack().new_group(alice_, {bob_});
  const auto carol = stack().new_user();
  stack().stop("postgres");
  const auto group_id = sender_->send(cold, "parked");
  const auto direct_id = sender_->send_direct(carol, "parked as well");
  stack().start("postgres");
  EXPECT_EQ(sender_->sent(group_id).at("seq"), 1);
  EXPECT_EQ(sender_->sent(direct_id).at("seq"), 1);
  EXPECT_EQ(receiver_->message_with_id(group_id).json.at("body"), "parked");
}

TEST_F(Guarantee7PostgresAway, AParkedMessageSurvivesTheBrokersCrash) {
  const auto cold = stack().new_group(alice_, {bob_});
  stack().stop("postgres");
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(sender_->send(cold, "parked " + std::to_string(i)));
  stack().kill("broker");
  stack().start("broker");  // without PostgreSQL
  sender_->connect();
  const auto later = sender_->send(cold, "parked after the crash");
  stack().start("postgres");
  sender_->sent(later);
  auto looking = database();
  const auto rows = stored_messages(looking, cold);
  ASSERT_EQ(rows.size(), ids.size() + 1);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(rows[i].id, ids[i]);
  EXPECT_EQ(rows.back().id, later);
}

TEST_F(Guarantee7PostgresAway, ARetryThatPostgresHasNotSeenYetGetsTheSameNumber) {
  stack().stop("postgres");
  const auto id = sender_->send(conv_, "once");
  stack().kill("broker");
  stack().start("broker");
  sender_->connect();
  sender_->mqtt().publish(message_topic(conv_), text(id, "once"));
  stack().start("postgres");
  EXPECT_EQ(sender_->sent(id).at("seq"), 2);
  EXPECT_EQ(sender_->sent(sender_->send(conv_, "the last")).at("seq"), 3);
}

TEST_F(Guarantee7PostgresAway, ADeviceThatComesMeanwhileGetsWhatItMissedWhenPostgresIsBack) {
  receiver_->acknowledge_all();
  receiver_->mqtt().disconnect();
  stack().stop("postgres");
  const auto id = sender_->send(conv_, "while both were away");
  const auto back = device(bob_, {.device = receiver_->device()});
  const auto live = sender_->send(conv_, "while bob waits");
  stack().start("postgres");
  back->message_with_id(id);
  back->message_with_id(live);
  back->sync("end");
  EXPECT_EQ(back->seqs(conv_), (std::vector<std::int64_t>{2, 3}));
}

struct SmallJournalStack {
  static StackOptions options() {
    return {.plugin = {{"journal_max_mb", "2"}, {"journal_segment_mb", "1"}}, .users = 10};
  }
};
using Guarantee7FullJournal = StackSuite<SmallJournalStack>;

TEST_F(Guarantee7FullJournal, RefusesWithStorageFullAndLosesNothingThatItAccepted) {
  const auto users = stack().new_users(2);
  const auto conv = stack().new_group(users[0], {users[1]});
  const auto sender = device(users[0]);
  const auto receiver = device(users[1], {.acknowledge_every = 10});
  sender->sent(sender->send(conv, "in memory now"));
  stack().stop("postgres");

  const std::string body(1000, 'x');
  std::vector<std::string> accepted;
  std::string refused;
  for (int i = 0; refused.empty() && i < 10'000; ++i) {
    const auto id = sender->new_id();
    if (sender->mqtt().publish(message_topic(conv), text(id, body)) < 0x80) {
      accepted.push_back(id);
    } else {
      refused = id;
    }
  }
  ASSERT_FALSE(refused.empty()) << "two megabytes took ten of them";
  EXPECT_GT(accepted.size(), 500U);
  EXPECT_EQ(sender->error_for(refused).at("code"), "storage_full");
  // An MQTT 3.1.1 client learns it on the error topic.
  const auto old = device(users[0], {.protocol = kMqtt311});
  old->mqtt().publish(message_topic(conv), text("old-1", body));
  EXPECT_EQ(old->error_for("old-1").at("code"), "storage_full");
  receiver->message_with_id(accepted.back());

  // Still so after a crash in this state.
  stack().kill("broker");
  stack().start("broker");
  sender->connect();

  stack().start("postgres");
  // The refused one is sent again until there is room, as its sender would.
  eventually("room in the journal",
             [&] { return sender->mqtt().publish(message_topic(conv), text(refused, body)) < 0x80; });
  sender->sent(refused);
  auto looking = database();
  const auto rows = stored_messages(looking, conv);
  ASSERT_EQ(rows.size(), accepted.size() + 2);
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    EXPECT_EQ(rows[i + 1].id, accepted[i]);
    EXPECT_EQ(rows[i + 1].seq, static_cast<std::int64_t>(i) + 2);
  }
  EXPECT_EQ(rows.back().id, refused);
}

}  // namespace
}  // namespace chat::test
