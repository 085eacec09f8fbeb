#include "plugin/reader/answers.h"

#include <gtest/gtest.h>

#include "storage/memory/memory_store.h"

namespace chat {
namespace {

class Answers : public testing::Test {
 protected:
  Answers() {
    for (const auto* user : {"alice", "bob"}) store_.add_user(user);
    for (int i = 0; i < 3; ++i) convs_.push_back(store_.create_group("", "alice", {}, 1));
  }
  void add(std::size_t conv, int count, std::int64_t ttl_s = 0) {
    auto state = *store_.find_conversation(convs_[conv]);
    Batch batch;
    batch.journal[0] = static_cast<std::uint8_t>(++journals_);
    batch.to = 1;
    for (int i = 0; i < count; ++i) {
      StoredMessage message;
      message.conv_id = state.id;
      message.seq = ++state.last_seq;
      message.server_time = 1000;
      message.sender = "alice";
      message.ttl_s = ttl_s;
      message.payload = R"({"body":"0123456789"})";
      batch.messages.push_back(message);
    }
    store_.commit(batch);
  }
  LaneWant want(std::size_t conv, Seq above, Seq target, Rev rev_above = 1, Rev rev_target = 1) {
    const auto state = *store_.find_conversation(convs_[conv]);
    return {.conv = state.name,
            .conv_id = state.id,
            .above = above,
            .target = target,
            .rev_above = rev_above,
            .rev_target = rev_target};
  }
  PageRead page(std::vector<LaneWant> wants, TimeMs now = 2000) {
    return std::get<PageRead>(
        answer(store_, options_, ReadPage{.device = "d", .generation = 3, .wants = std::move(wants)}, now));
  }
  static std::vector<Seq> seqs(const PageRead& page, const std::string& conv) {
    std::vector<Seq> all;
    for (const auto& item : page.items) {
      if (item.conv == conv && item.seq > 0) all.push_back(item.seq);
    }
    return all;
  }
  AnswerOptions options_;
  MemoryStore store_;
  std::vector<std::string> convs_;
  int journals_ = 0;
};

TEST_F(Answers, APageHoldsWhatIsWantedInOrderAndSaysWhatIsFinished) {
  add(0, 3);
  add(1, 5);
  const auto read = page({want(1, 2, 4), want(0, 0, 3), want(2, 0, 0)});
  EXPECT_EQ(read.device, "d");
  EXPECT_EQ(read.generation, 3U);
  EXPECT_EQ(seqs(read, convs_[1]), (std::vector<Seq>{3, 4}));  // 5 is above the target: it comes live
  EXPECT_EQ(seqs(read, convs_[0]), (std::vector<Seq>{1, 2, 3}));
  EXPECT_EQ(read.finished.size(), 3U);
}

TEST_F(Answers, ACutPageLeavesTheRestToBeAskedForAgain) {
  add(0, 3);
  add(1, 3);
  for (options_.page_messages = 1; options_.page_messages <= 7; ++options_.page_messages) {
    std::map<std::string, Seq> at{{convs_[0], 0}, {convs_[1], 0}};
    int asked = 0;
    while ((at[convs_[0]] < 3 || at[convs_[1]] < 3) && ++asked < 20) {
      std::vector<LaneWant> wants;
      for (const std::size_t conv : {0U, 1U}) {
        if (at[convs_[conv]] < 3) wants.push_back(want(conv, at[convs_[conv]], 3));
      }
      const auto read = page(wants);
      for (const auto& item : read.items) EXPECT_EQ(item.seq, ++at[item.conv]) << "page of " << options_.page_messages;
      for (const auto& finished : read.finished) EXPECT_EQ(at[finished.conv], 3) << "finished too early";
    }
    EXPECT_LT(asked, 20);
  }
}

TEST_F(Answers, ALargePageIsCutByBytes) {
  add(0, 10);
  options_.page_bytes = 50;
  const auto read = page({want(0, 0, 10)});
  EXPECT_LT(read.items.size(), 10U);
  EXPECT_GE(read.items.size(), 1U);
  EXPECT_TRUE(read.finished.empty());
}

TEST_F(Answers, EventsComeWithTheirConversation) {
  store_.add_member(convs_[0], "bob", Role::kMember, "alice", 5);
  const auto read = page({want(0, 0, 0, 0, 2)});
  ASSERT_EQ(read.items.size(), 2U);
  EXPECT_EQ(read.items[0].rev, 1);
  EXPECT_EQ(read.items[1].rev, 2);
  EXPECT_EQ(read.finished.size(), 1U);
}

TEST_F(Answers, WhatHasExpiredIsATombstone) {
  add(0, 1, 5);
  EXPECT_NE((*page({want(0, 0, 1)}, 5999).items[0].bytes).find("0123456789"), std::string::npos);
  const std::string bytes(*page({want(0, 0, 1)}, 6000).items[0].bytes);
  EXPECT_EQ(bytes.find("0123456789"), std::string::npos);
  EXPECT_NE(bytes.find("\"expired\":true"), std::string::npos);
}

TEST_F(Answers, AReloadBringsAllEventsAboveItsRevAndSaysThatItIsOne) {
  for (int i = 0; i < 1200; ++i)
    store_.add_member(convs_[0], "bob", i % 2 == 0 ? Role::kMember : Role::kAdmin, "alice", 5);
  const auto loaded =
      std::get<ConversationLoaded>(answer(store_, options_, LoadConversation{.name = convs_[0], .events_above = 1}, 0));
  EXPECT_TRUE(loaded.reload);
  ASSERT_EQ(loaded.events.size(), 1200U);
  EXPECT_EQ(loaded.events.front().rev, 2);
  EXPECT_EQ(loaded.events.back().rev, loaded.state->last_rev);
  const auto fresh = std::get<ConversationLoaded>(answer(store_, options_, LoadConversation{.name = convs_[0]}, 0));
  EXPECT_FALSE(fresh.reload);
  EXPECT_TRUE(fresh.events.empty());
  EXPECT_EQ(fresh.state->changed_at, 5);
  EXPECT_FALSE(std::get<ConversationLoaded>(answer(store_, options_, LoadConversation{.name = "g:none"}, 0)).state);
}

TEST_F(Answers, EventsAloneAreReadWithoutTheConversation) {
  for (int i = 0; i < 600; ++i) {
    store_.add_member(convs_[0], "bob", Role::kMember, "", 1);
    store_.remove_member(convs_[0], "bob", "", 1);
  }
  const auto id = store_.find_conversation(convs_[0])->id;
  const auto loaded =
      std::get<EventsLoaded>(answer(store_, options_, LoadEvents{.name = convs_[0], .conv_id = id, .above = 1}, 0));
  EXPECT_EQ(loaded.name, convs_[0]);
  ASSERT_EQ(loaded.events.size(), 1200U);
  EXPECT_EQ(loaded.events.front().rev, 2);
  EXPECT_EQ(loaded.events.back().rev, 1201);
}

TEST_F(Answers, UsersAreMadeAtFirstSightWhereThatIsAllowed) {
  EXPECT_TRUE(std::get<UserLoaded>(answer(store_, options_, LoadUser{.name = "new"}, 0)).state);
  options_.create_users = false;
  EXPECT_FALSE(std::get<UserLoaded>(answer(store_, options_, LoadUser{.name = "newer"}, 0)).state);
}

}  // namespace
}  // namespace chat
