#include "bridge/mqtt/outbox.h"

#include <gtest/gtest.h>

#include <string>

namespace chat {
namespace {

Outgoing message(std::size_t number) {
  return {"t", std::to_string(number), std::nullopt};
}

TEST(Outbox, GivesMessagesInOrderUpToTheWindow) {
  Outbox outbox;
  outbox.open(2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(outbox.put(message(i)));
  EXPECT_EQ(outbox.next(), message(0));
  EXPECT_EQ(outbox.next(), message(1));
  EXPECT_EQ(outbox.next(), std::nullopt);
  outbox.done();
  EXPECT_EQ(outbox.next(), message(2));
  EXPECT_FALSE(outbox.empty());
  outbox.done();
  outbox.done();
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, TakesNoMoreThanItsBound) {
  Outbox outbox;
  outbox.open(1);
  for (std::size_t i = 0; i < kOutboxMax; ++i) {
    EXPECT_EQ(outbox.calm(), i < kOutboxCalm);
    ASSERT_TRUE(outbox.put(message(i)));
  }
  EXPECT_FALSE(outbox.put(message(0)));
  ASSERT_TRUE(outbox.next());
  EXPECT_TRUE(outbox.put(message(0)));
}

TEST(Outbox, ClosingCountsWhatNobodyKnowsToHaveArrived) {
  Outbox outbox;
  outbox.open(2);
  for (std::size_t i = 0; i < 5; ++i) outbox.put(message(i));
  outbox.next();
  outbox.next();
  outbox.done();
  EXPECT_EQ(outbox.close(), 4u);
  EXPECT_TRUE(outbox.empty());
  outbox.open(1);
  outbox.done();
  outbox.put(message(7));
  outbox.put(message(8));
  EXPECT_EQ(outbox.next(), message(7));
  EXPECT_FALSE(outbox.can_send()) << "a late word about the earlier connection opened the window";
}

TEST(Outbox, ABrokerThatTakesNoneIsTreatedAsOneThatTakesOne) {
  Outbox outbox;
  outbox.open(0);
  outbox.put(message(1));
  EXPECT_TRUE(outbox.can_send());
}

}  // namespace
}  // namespace chat
