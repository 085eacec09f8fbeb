#include "bridge/signals/signal_reader.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string signal(int number, bool reset, const std::string& sessions = {}) {
  return R"({"seal":"x","n":)" + std::to_string(number) + R"(,"reset":)" + (reset ? "true" : "false") +
         R"(,"sessions":[)" + sessions + "]}";
}

TEST(SignalReading, ASnapshotAndWhatFollowsItAreRead) {
  SignalReader reader;
  std::string why;
  const auto first = reader.read(
      signal(1, true, R"({"user":"alice","device":"a \"1\"","online":true,"unread":true,"asked":false})"), &why);
  ASSERT_TRUE(first) << why;
  EXPECT_TRUE(first->reset);
  ASSERT_EQ(first->sessions.size(), 1U);
  EXPECT_EQ(first->sessions[0].user, "alice");
  EXPECT_EQ(first->sessions[0].device, "a \"1\"");
  EXPECT_TRUE(first->sessions[0].online);
  EXPECT_TRUE(first->sessions[0].unread);
  EXPECT_FALSE(first->sessions[0].asked);
  const auto second = reader.read(signal(2, false), &why);
  ASSERT_TRUE(second) << why;
  EXPECT_FALSE(second->reset);
}

TEST(SignalReading, AHoleIsFoundAndNothingIsTakenUntilTheNextSnapshot) {
  SignalReader reader;
  std::string why;
  ASSERT_TRUE(reader.read(signal(1, true), &why));
  EXPECT_FALSE(reader.read(signal(3, false), &why));
  EXPECT_NE(why.find("signal 2 is missing: 3 came"), std::string::npos) << why;
  EXPECT_FALSE(reader.read(signal(4, false), &why));
  EXPECT_TRUE(reader.read(signal(1, true), &why));
  EXPECT_TRUE(reader.read(signal(2, false), &why));
}

TEST(SignalReading, WithoutASnapshotNothingIsTaken) {
  SignalReader reader;
  std::string why;
  EXPECT_FALSE(reader.read(signal(1, false), &why));
}

TEST(SignalReading, WhatIsNoSignalIsSaid) {
  SignalReader reader;
  for (const std::string payload : {"", "[]", "{}", R"({"n":"1","reset":true,"sessions":[]})",
                                    R"({"n":1,"reset":true,"sessions":[{"user":"alice"}]})"}) {
    std::string why;
    EXPECT_FALSE(reader.read(payload, &why)) << payload;
    EXPECT_NE(why.find("can't be read"), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace chat
