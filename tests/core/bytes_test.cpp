// What is delivered, and the memory that it lies in.
#include "plugin/core/bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "plugin/core/byte_blocks.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

Bytes add(ByteBlocks& blocks, std::size_t most, std::string_view text) {
  return blocks.add(most, [text](char* to) { return std::copy(text.begin(), text.end(), to); });
}

TEST(BytesTest, NothingIsNotTheSameAsZeroBytes) {
  EXPECT_FALSE(Bytes());
  EXPECT_FALSE(Bytes(nullptr));
  const Bytes none;
  EXPECT_EQ(*none, "");
  EXPECT_TRUE(Bytes(std::string()));
  ByteBlocks blocks;
  EXPECT_TRUE(add(blocks, 0, ""));
}

TEST(BytesTest, AShortTextOutlivesWhatItWasMadeFrom) {
  Bytes kept;
  {
    std::string text = "short";  // lies in the string itself
    const Bytes made(std::move(text));
    kept = made;
  }
  EXPECT_EQ(*kept, "short");
}

TEST(BytesTest, WhatWasMovedAwayIsEmpty) {
  Bytes from(std::string("text"));
  const auto to = std::move(from);
  EXPECT_EQ(*to, "text");
  EXPECT_EQ(*from, "");  // NOLINT(bugprone-use-after-move): what is asked for
}

TEST(ByteBlocksTest, WhatIsKeptStaysAsItIsWhateverComesAndGoesBesideIt) {
  auto random = test::generator("byte blocks");
  ByteBlocks blocks;
  std::deque<std::pair<Bytes, std::string>> kept;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text(random() % (random() % 50 == 0 ? 20'000 : 500), static_cast<char>('a' + i % 26));
    kept.emplace_back(add(blocks, text.size() + random() % 40, text), text);
    if (random() % 3 != 0) continue;
    const auto gone = kept.begin() + static_cast<std::ptrdiff_t>(random() % kept.size());
    ASSERT_EQ(*gone->first, gone->second);
    kept.erase(gone);
    if (kept.size() > 300) kept.erase(kept.begin(), kept.begin() + 200);
  }
  for (const auto& [bytes, text] : kept) ASSERT_EQ(*bytes, text);
}

TEST(ByteBlocksTest, NeighboursLieBesideEachOtherAndWhatWasNotWrittenIsGivenToTheNext) {
  ByteBlocks blocks;
  const auto first = add(blocks, 100, "one");
  const auto second = add(blocks, 100, "two");
  EXPECT_EQ((*first).data() + 3, (*second).data());
  EXPECT_TRUE(second.in_block());
  EXPECT_FALSE(add(blocks, ByteBlocks::kSharedMost + 1, "large").in_block());
  EXPECT_FALSE(Bytes(std::string("three")).in_block());
}

}  // namespace
}  // namespace chat
