#include "plugin/core/uuid_maker.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "plugin/core/sequencer.h"
#include "storage/stamped.h"
#include "storage/uuid.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

const Uuid kMid{0x01, 0x8f, 0x00, 0x11, 0x22, 0x33, 0x74, 0x44, 0x95, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb};

TEST(Stamp, ServerFieldsStandInFrontAndTheSendersBytesAreUnchanged) {
  EXPECT_EQ(
      stamped("g:1", 42, 1'700'000'000'123, "alice", kMid, R"({"id":"x",  "body":"é"} )"),
      R"({"conv":"g:1","seq":42,"server_time":1700000000123,"from":"alice","mid":"018f0011-2233-7444-9555-66778899aabb","id":"x",  "body":"é"} )");
}

TEST(Stamp, WhatWasStampedIsReadBackForRandomValues) {
  auto random = test::generator("stamp");
  for (int i = 0; i < 2000; ++i) {
    const auto conv = "g:" + std::to_string(random());
    const auto seq = static_cast<Seq>(random() >> (1 + random() % 62));
    const auto bytes =
        stamped(conv, seq, static_cast<TimeMs>(random() >> 20), "bob", kMid, R"({"body":"}\",\"seq\":9"})");
    std::string_view read_conv;
    Seq read_seq = -1;
    ASSERT_TRUE(read_stamp(bytes, &read_conv, &read_seq)) << bytes;
    EXPECT_EQ(read_conv, conv);
    EXPECT_EQ(read_seq, seq);
    const auto parsed = nlohmann::json::parse(bytes);
    EXPECT_EQ(parsed.at("seq"), seq);
    EXPECT_EQ(parsed.at("mid"), uuid_text(kMid));
  }
}

TEST(Stamp, TheRoomForItIsWhatTheLongestNumbersNeed) {
  constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
  const std::string_view payload = R"({"body":1})";
  // The one byte is the brace of the sender's object, which the stamp's takes the place of.
  EXPECT_EQ(stamped("g:1", kLowest, kLowest, "bob", kMid, payload).size() + 1, stamped_most("g:1", "bob", payload));
}

TEST(Stamp, NothingElsePassesForAStamp) {
  std::string_view conv;
  Seq seq = 0;
  for (const std::string bytes :
       {"", "{", R"({"body":1})", R"({"conv":"g:1"})", R"({"conv":"g:1)", R"({"conv":"g:1","seq":})",
        R"({"conv":"g:1","seq":x,)", R"({"conv":"g:1","seq":1)", R"({"conv":"g:1","seq":1})",
        R"({"conv":"g:1","seq":99999999999999999999,)", R"( {"conv":"g:1","seq":1,)", R"({"conv": "g:1","seq":1,)"}) {
    EXPECT_FALSE(read_stamp(bytes, &conv, &seq)) << bytes;
  }
}

TEST(UuidMakerTest, VersionVariantAndTimeAreWhereRfc9562PutsThem) {
  UuidMaker maker;
  std::set<std::string> made;
  for (const TimeMs now : {TimeMs{0}, TimeMs{1}, TimeMs{1'700'000'000'123}, TimeMs{0xFFFF'FFFF'FFFF}}) {
    for (int i = 0; i < 200; ++i) {
      const auto uuid = maker.make(now);
      EXPECT_EQ(uuid[6] >> 4, 7);
      EXPECT_EQ(uuid[8] >> 6, 2);
      TimeMs time = 0;
      for (std::size_t byte = 0; byte < 6; ++byte) time = (time << 8) | uuid[byte];
      EXPECT_EQ(time, now);
      EXPECT_TRUE(made.insert(uuid_text(uuid)).second) << "made twice: " << uuid_text(uuid);
    }
  }
}

TEST(UuidMakerTest, TwoMakersDiffer) {
  EXPECT_NE(UuidMaker().make(1), UuidMaker().make(1));
}

TEST(SequencerTest, PlaceChangesNothingAndTakeDoes) {
  Conversation conversation;
  conversation.last_seq = 7;
  conversation.last_time = 100;
  EXPECT_EQ(place(conversation, 150).seq, 8);
  EXPECT_EQ(place(conversation, 150).seq, 8);
  take(conversation, place(conversation, 150));
  EXPECT_EQ(conversation.last_seq, 8);
  EXPECT_EQ(conversation.last_time, 150);
}

TEST(SequencerTest, TimeNeverFallsWhenTheClockIsSetBack) {
  auto random = test::generator("sequencer");
  Conversation conversation;
  TimeMs before = 0;
  for (Seq seq = 1; seq <= 1000; ++seq) {
    const auto next = place(conversation, static_cast<TimeMs>(random() % 10'000));
    ASSERT_EQ(next.seq, seq);
    ASSERT_GE(next.server_time, before);
    before = next.server_time;
    take(conversation, next);
  }
}

}  // namespace
}  // namespace chat
