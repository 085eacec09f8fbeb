// What gets large: a user with 10,000 conversations, and a group of 1,000 members.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/requesting.h"
#include "tests/support/stack_suite.h"
#include "tests/support/stored.h"

namespace chat::test {
namespace {

using nlohmann::json;

constexpr int kConversations = 10'000;
constexpr int kMembers = 1'000;
constexpr int kConnected = 40;
constexpr int kMessages = 20;

struct LargeStack {
  static StackOptions options() { return {.users = 60}; }
};

class LargeChats : public StackSuite<LargeStack> {
 protected:
  // Conversations of the two, each with one message by `sender`, as if they had always been there.
  static void fill(Database& database, const std::string& user, const std::string& sender) {
    const auto one = database.quote(user);
    const auto other = database.quote(sender);
    database.query("SELECT chat_make_month(chat_now())");
    database.query(
        "WITH made AS (INSERT INTO conversations (name, kind, title, last_seq, last_time, created_at, changed_at) "
        "SELECT 'g:many' || n, 1, 'number ' || n, 1, chat_now(), chat_now(), chat_now() FROM generate_series(1, " +
        std::to_string(kConversations) +
        ") AS n RETURNING id, last_time), "
        "seated AS (INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at, last_sent_seq) "
        "SELECT made.id, u.name, 1, 1, 0, u.sent FROM made, (VALUES (" +
        one + ", 0), (" + other +
        ", 1)) AS u (name, sent)) "
        "INSERT INTO messages (conv_id, seq, server_time, mid, type, sender, payload) "
        "SELECT id, 1, last_time, gen_random_uuid(), 0, " +
        other + R"(, '{"body":"hello"}' FROM made)");
  }
};

TEST_F(LargeChats, ALoginWithTenThousandConversationsGetsAllOfThem) {
  const auto users = stack().new_users(2);
  auto looking = database();
  looking.query("INSERT INTO users (name, created_at) VALUES (" + looking.quote(users[0]) + ", 0), (" +
                looking.quote(users[1]) + ", 0) ON CONFLICT DO NOTHING");
  fill(looking, users[0], users[1]);

  const auto phone = device(users[0], {.acknowledge_every = 20});
  const auto begin = phone->sync("begin");
  EXPECT_EQ(begin.at("messages"), kConversations);
  EXPECT_EQ(begin.at("conversations"), kConversations);
  phone->sync("end");
  std::set<std::string> convs;
  for (const auto& message : phone->mqtt().received()) {
    if (message.topic == phone->own("inbox")) convs.insert(field(message, "conv"));
  }
  EXPECT_EQ(convs.size(), std::size_t{kConversations});

  EXPECT_EQ(request(*phone, "unread.get", {{"limit", 1}}).at("total"), kConversations);
  std::set<std::string> listed;
  json ask{{"limit", 500}};
  while (true) {
    const auto page = request(*phone, "conversation.list", ask);
    ASSERT_TRUE(page.value("ok", false)) << page;
    for (const auto& row : page.at("conversations")) {
      EXPECT_EQ(row.at("unread"), 1);
      EXPECT_TRUE(listed.insert(row.at("conv")).second) << row.at("conv") << " is listed twice";
    }
    if (!page.contains("cursor")) break;
    ask["cursor"] = page.at("cursor");
  }
  EXPECT_EQ(listed, convs);

  phone->acknowledge_all();
  eventually("every cursor in PostgreSQL", [&] {
    return looking.number("SELECT count(*) FROM device_cursors WHERE delivered_seq = 1 AND user_name = " +
                          looking.quote(users[0])) == kConversations;
  });
  const auto again = device(users[0], {.device = phone->device()});
  EXPECT_EQ(again->sync("begin").at("messages"), 0) << "what was acknowledged does not come again";
}

TEST_F(LargeChats, AGroupOfAThousandHearsEachMessageAndCostsOneRowAMessage) {
  const auto users = stack().new_users(kConnected);
  auto looking = database();
  const auto conv = stack().new_group(users[0], {users.begin() + 1, users.end()});
  const auto id = "(SELECT id FROM conversations WHERE name = " + looking.quote(conv) + ")";
  const auto others = "generate_series(1, " + std::to_string(kMembers - kConnected) + ") AS n";
  looking.query("INSERT INTO users (name, created_at) SELECT 'crowd-' || n, 0 FROM " + others);
  looking.query("INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) SELECT " + id +
                ", 'crowd-' || n, 1, 1, 0 FROM " + others);

  std::vector<std::unique_ptr<ChatClient>> phones;
  for (const auto& user : users) phones.push_back(device(user, {.acknowledge_every = 5}));
  for (auto& phone : phones) phone->sync("end");
  for (int i = 1; i <= kMessages; ++i)
    phones[static_cast<std::size_t>(i % 3)]->send(conv, "message " + std::to_string(i));
  for (auto& phone : phones) phone->expect_through(conv, kMessages);
  std::vector<std::int64_t> order(kMessages);
  std::iota(order.begin(), order.end(), 1);
  for (auto& phone : phones) EXPECT_EQ(phone->seqs(conv), order);

  expect_stored(looking, conv, kMessages);
  const auto seen = request(*phones[0], "receipt.list", {{"conv", conv}, {"seq", 1}, {"limit", 1}});
  EXPECT_EQ(seen.at("members"), kMembers - 1);
  EXPECT_EQ(request(*phones[5], "unread.get", {{"conv", conv}}).at("unread"), kMessages);
  EXPECT_EQ(looking.number("SELECT count(*) FROM messages WHERE conv_id = " + id), kMessages);
  eventually("everybody's cursor", [&] {
    return looking.number("SELECT count(*) FROM device_cursors WHERE delivered_seq >= 15 AND conv_id = " + id) ==
           kConnected;
  });
  EXPECT_EQ(looking.number("SELECT count(*) FROM device_cursors WHERE conv_id = " + id), kConnected)
      << "who was never here has no row";
}

}  // namespace
}  // namespace chat::test
