#include "plugin/persister/batch_maker.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace chat {
namespace {

MessageRecord message(const std::string& conv, Seq seq, const std::string& sender) {
  MessageRecord record;
  record.message.conv = conv;
  record.message.conv_id = 1;
  record.message.seq = seq;
  record.message.sender = sender;
  record.message.id = "i" + std::to_string(seq);
  record.message.payload = "{}";
  return record;
}

CursorRecord cursor(const std::string& device, ConvId conv, Seq delivered, Rev rev, Seq read, TimeMs at) {
  CursorRecord record;
  record.cursor = {
      .conv_id = conv, .user = "bob", .device = device, .delivered = delivered, .rev = rev, .read = read, .at = at};
  return record;
}

TEST(BatchMakerTest, CursorsOfOneDeviceAndConversationAreOneAndOnlyRise) {
  BatchMaker maker({}, 10);
  maker.add(cursor("b1", 1, 5, 2, 0, 100), 10);
  maker.add(cursor("b1", 1, 3, 4, 3, 90), 20);
  maker.add(cursor("b1", 2, 1, 0, 0, 1), 30);
  maker.add(cursor("b2", 1, 9, 0, 0, 1), 40);
  maker.reach(50);
  const auto& batch = maker.batch();
  EXPECT_EQ(batch.from, 10U);
  EXPECT_EQ(batch.to, 50U);
  EXPECT_EQ(maker.records(), 4U);
  ASSERT_EQ(batch.cursors.size(), 3U);
  EXPECT_EQ(batch.cursors[0], cursor("b1", 1, 5, 4, 3, 100).cursor);
  EXPECT_EQ(batch.cursors[2], cursor("b2", 1, 9, 0, 0, 1).cursor);
}

TEST(BatchMakerTest, CommandsCarryTheirPositionAndWhatConcernsMemoryOnlyIsLeftOut) {
  BatchMaker maker({}, 0);
  CommandRecord command;
  command.command.operation = "recall";
  maker.add(command, 77);
  maker.add(ParkedRecord{}, 80);
  maker.add(ResolvedRecord{}, 90);
  ASSERT_EQ(maker.batch().commands.size(), 1U);
  EXPECT_EQ(maker.batch().commands[0].position, 77U);
  EXPECT_TRUE(maker.batch().messages.empty());
  EXPECT_TRUE(maker.committed().acks.empty());
}

TEST(BatchMakerTest, TheNoticeHasEachSendersAcksAndEachConversationsHighestSeq) {
  BatchMaker maker({}, 0);
  for (Seq seq = 1; seq <= 3; ++seq)
    maker.add(message("g:1", seq, seq == 2 ? "bob" : "alice"), static_cast<Position>(seq));
  maker.add(message("g:2", 9, "alice"), 4);
  maker.reach(5);
  const auto notice = maker.committed();
  EXPECT_EQ(notice.up_to, 5U);
  std::map<std::string, std::size_t> acks;
  for (const auto& [user, json] : notice.acks) acks[user] += nlohmann::json::parse(json).at("acks").size();
  EXPECT_EQ(acks, (std::map<std::string, std::size_t>{{"alice", 3}, {"bob", 1}}));
  const std::map<std::string, Seq> highest(notice.conversations.begin(), notice.conversations.end());
  EXPECT_EQ(highest, (std::map<std::string, Seq>{{"g:1", 3}, {"g:2", 9}}));
}

TEST(BatchMakerTest, ManyAcksAreCutIntoPublishesOfABoundedSizeInOrder) {
  BatchMaker maker({}, 0);
  constexpr Seq kCount = 1001;
  for (Seq seq = 1; seq <= kCount; ++seq) maker.add(message("g:1", seq, "alice"), static_cast<Position>(seq));
  Seq next = 1;
  for (const auto& [user, json] : maker.committed().acks) {
    const auto acks = nlohmann::json::parse(json).at("acks");
    EXPECT_LE(acks.size(), BatchMaker::kAcksPerPublish);
    for (const auto& ack : acks) EXPECT_EQ(ack.at("seq"), next++);
  }
  EXPECT_EQ(next, kCount + 1);
}

}  // namespace
}  // namespace chat
