// What is in memory, and for how long: conversations and tails.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>

#include "plugin/core/conversation_cache.h"
#include "plugin/core/tail.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

ConversationState state(const std::string& name, std::size_t members = 2, Seq last_seq = 0) {
  ConversationState state;
  state.id = 1;
  state.name = name;
  state.last_seq = last_seq;
  for (std::size_t i = 0; i < members; ++i) state.members.push_back({.user = "user" + std::to_string(100 + i)});
  return state;
}

std::size_t cost(std::size_t members) {
  return ConversationCache::kBytesPerConversation + members * ConversationCache::kBytesPerMember;
}

TEST(ConversationCacheTest, AgreesWithANaiveTwinOnRandomUse) {
  auto random = test::generator("conversation cache");
  Directory directory;
  const std::size_t bytes_max = 10 * cost(3);
  ConversationCache cache(bytes_max);
  std::list<std::pair<std::string, std::size_t>> twin;  // the latest used first; with the members
  const auto twin_bytes = [&] {
    std::size_t bytes = 0;
    for (const auto& [name, members] : twin) bytes += cost(members);
    return bytes;
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto name = "g:" + std::to_string(random() % 30);
    const auto place = std::find_if(twin.begin(), twin.end(), [&](const auto& entry) { return entry.first == name; });
    switch (random() % 4) {
      case 0: {
        const auto members = random() % 8;
        if (place != twin.end()) twin.erase(place);
        twin.emplace_front(name, members);
        while (twin_bytes() > bytes_max && twin.size() > 1) twin.pop_back();
        EXPECT_EQ(cache.insert(state(name, members), directory)->members.size(), members);
        break;
      }
      case 1:
        ASSERT_EQ(cache.find(name) != nullptr, place != twin.end());
        if (place != twin.end()) {
          ASSERT_EQ(cache.find(name)->name, name);
        }
        if (place != twin.end()) twin.splice(twin.begin(), twin, place);
        break;
      case 2:
        ASSERT_EQ(cache.peek(name) != nullptr, place != twin.end());
        if (place != twin.end()) {
          ASSERT_EQ(cache.peek(name)->name, name);
        }
        break;
      default:
        if (random() % 5 != 0) break;
        cache.erase(name);
        if (place != twin.end()) twin.erase(place);
    }
    ASSERT_EQ(cache.size(), twin.size());
    ASSERT_EQ(cache.bytes(), twin_bytes());
  }
}

TEST(ConversationCacheTest, CountersAreKeptWhereTheyAreAheadOfTheStore) {
  Directory directory;
  ConversationCache cache(1 << 20);
  auto conversation = cache.insert(state("g:1", 2, 5), directory);
  conversation->last_seq = 9;
  conversation->last_time = 100;
  auto older = state("g:1", 3, 7);
  older.last_time = 50;
  older.last_rev = 4;
  EXPECT_EQ(cache.insert(older, directory), conversation);
  EXPECT_EQ(conversation->last_seq, 9);
  EXPECT_EQ(conversation->last_time, 100);
  EXPECT_EQ(conversation->committed_seq, 7);
  EXPECT_EQ(conversation->last_rev, 4);
  EXPECT_EQ(conversation->members.size(), 3U);
}

TEST(ConversationCacheTest, MembersAreFoundByName) {
  Directory directory;
  ConversationCache cache(1 << 20);
  const auto conversation = cache.insert(state("g:1", 20), directory);
  for (int i = 100; i < 120; ++i) EXPECT_NE(conversation->member("user" + std::to_string(i)), nullptr);
  for (const auto* stranger : {"", "user", "user099", "user120", "user1000", "zzz"})
    EXPECT_EQ(conversation->member(stranger), nullptr) << stranger;
}

class TailTest : public testing::Test {
 protected:
  void push(Tail& tail, const std::shared_ptr<Conversation>& conversation, std::size_t bytes) {
    ++conversation->last_seq;
    const auto letter = static_cast<char>('a' + conversation->last_seq % 26);
    tail.push(*conversation, bytes, [&](char* to) { return std::fill_n(to, bytes, letter); });
  }
};

TEST_F(TailTest, HoldsTheNewestOfAllConversationsWithinItsBytes) {
  auto random = test::generator("tail");
  const std::size_t bytes_max = 20'000;
  Tail tail(bytes_max);
  bool full = false;
  std::vector<std::shared_ptr<Conversation>> conversations;
  for (int i = 0; i < 5; ++i) conversations.push_back(std::make_shared<Conversation>());
  for (int i = 0; i < 5000; ++i) {
    if (random() % 100 == 0)
      conversations[random() % 5] = std::make_shared<Conversation>();  // forgotten and loaded again
    push(tail, conversations[random() % 5], random() % 500);
    ASSERT_LE(tail.bytes(), bytes_max);
    full = full || tail.bytes() > bytes_max - 500;
    if (full) {  // no more leaves than has to, and what leaves in one go
      ASSERT_GE(tail.bytes(), bytes_max - bytes_max / 16 - (500 + Tail::kBytesPerMessage));
    }
    std::size_t held = 0;
    for (const auto& conversation : conversations) {
      for (const auto& bytes : conversation->tail) held += bytes.size() + Tail::kBytesPerMessage;
      if (!conversation->tail.empty()) {
        const auto* newest = conversation->in_tail(conversation->last_seq);
        ASSERT_NE(newest, nullptr);
        if (newest->size() > 0) {
          ASSERT_EQ((**newest).front(), static_cast<char>('a' + conversation->last_seq % 26));
        }
      }
    }
    ASSERT_LE(held, tail.bytes());
  }
}

TEST_F(TailTest, InTailAnswersWhatItHoldsAndNothingElse) {
  Tail tail(1 << 20);
  auto conversation = std::make_shared<Conversation>();
  conversation->last_seq = 10;
  for (int i = 0; i < 3; ++i) push(tail, conversation, 5);
  EXPECT_EQ(conversation->in_tail(10), nullptr);
  for (Seq seq = 11; seq <= 13; ++seq)
    EXPECT_EQ((**conversation->in_tail(seq)).front(), static_cast<char>('a' + seq % 26));
  EXPECT_EQ(conversation->in_tail(14), nullptr);
  EXPECT_EQ(conversation->in_tail(0), nullptr);
  EXPECT_EQ(conversation->in_tail(-5), nullptr);
}

TEST_F(TailTest, TheLastMessageStaysHoweverLarge) {
  Tail tail(10);
  auto conversation = std::make_shared<Conversation>();
  push(tail, conversation, 5000);
  EXPECT_NE(conversation->in_tail(1), nullptr);
  push(tail, conversation, 5000);
  EXPECT_EQ(conversation->in_tail(1), nullptr);
  EXPECT_NE(conversation->in_tail(2), nullptr);
}

}  // namespace
}  // namespace chat
