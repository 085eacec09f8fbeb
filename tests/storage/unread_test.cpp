// Numbers that are no message (any more) are unread to nobody: what the commit and a power cut's jump leave for
// chat_unread() to see.
#include <gtest/gtest.h>

#include "storage/store.h"
#include "tests/storage/both_stores.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {
namespace {

constexpr TimeMs kNow = 1'750'000'000'000;

class Unread : public testing::Test {
 protected:
  Unread() : uri_(server_.migrated_database()), store_(open_postgres(uri_, "test")) {
    store_->add_user("alice");
    store_->add_user("bob");
    const std::string others[] = {"bob"};
    name_ = store_->create_group("", "alice", others, kNow);
  }

  void commit(std::vector<StoredMessage> messages) {
    const Position from = position_;
    position_ += 100;
    store_->commit({.journal = kJournal, .from = from, .to = position_, .messages = std::move(messages)});
  }

  std::int64_t bobs(TimeMs at = kNow) {
    return server_.number(uri_,
                          "SELECT chat_unread(m, c.last_seq, " + std::to_string(at) +
                              ") FROM members m JOIN conversations c ON c.id = m.conv_id WHERE m.user_name = 'bob'");
  }

  PrivatePostgres& server_ = PrivatePostgres::shared();
  std::string uri_;
  std::unique_ptr<Store> store_;
  std::string name_;
  Position position_ = 64;
};

TEST_F(Unread, AMessageThatExpiresIsUnreadUntilThen) {
  const auto conv = store_->find_conversation(name_).value();
  auto brief = message(conv, 2, "alice", kNow);
  brief.ttl_s = 60;
  commit({message(conv, 1, "alice", kNow), brief});
  EXPECT_EQ(bobs(kNow + 59'999), 2);
  EXPECT_EQ(bobs(kNow + 60'000), 1);
}

TEST_F(Unread, NumbersThatAPowerCutTookAreUnreadToNobody) {
  const auto conv = store_->load_conversation(name_, {.source = {kJournal, 0}}).value();
  commit({message(conv, 1, "alice", kNow)});
  ASSERT_EQ(store_->load_conversation(name_, {.source = {kJournal, 1}})->last_seq, 1 + kSeqJump);
  EXPECT_EQ(bobs(), 1);
  commit({message(conv, 2 + kSeqJump, "alice", kNow)});
  EXPECT_EQ(bobs(), 2);
  store_->load_conversation(name_, {.source = {kJournal, 1}});
  EXPECT_EQ(bobs(), 2);
}

}  // namespace
}  // namespace chat::test
