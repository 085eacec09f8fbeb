// Goal: whatever many clients do at once, what each is told and answered in the end is what a naive model counts.
// Method: twenty clients (ten users, two devices each, both protocols) send, send again, read, recall, edit, react,
// delete, mute, come and go for a while, from a seed; two minutes where CHAT_LONG is set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/support/crowd.h"
#include "tests/support/stack.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

constexpr int kUsers = 10;
constexpr int kGroups = 12;

std::chrono::seconds duration() {
  return std::chrono::seconds(std::getenv("CHAT_LONG") != nullptr ? 120 : 12);
}

void report(const std::vector<std::string>& wrong) {
  for (std::size_t i = 0; i < wrong.size() && i < 20; ++i) ADD_FAILURE() << wrong[i];
  EXPECT_EQ(wrong.size(), 0U) << "differences in all";
}

TEST(Crowds, WhateverTwentyClientsDoUnreadReceiptsAndHistoryAreThoseOfANaiveModel) {
  Stack stack;
  Crowd crowd(stack, kUsers, kGroups);
  crowd.run(duration());
  crowd.settle();
  std::cout << crowd.summary() << "\n";
  for (const char* what : {"messages", "messages sent twice", "readings", "recalls", "edits", "reactions", "deletions",
                           "settings", "changes of membership", "reconnects", "typing"}) {
    EXPECT_GT(crowd.done(what), 0U) << "nobody did any " << what << ": the test tested less than it says";
  }
  report(answered_wrong(crowd));
  std::vector<std::string> wrong;
  try {
    eventually("what was pushed to be the model's", [&] {
      wrong = pushed_wrong(crowd);
      return wrong.empty();
    });
  } catch (const TimedOut&) {
    report(wrong);
  }
}

}  // namespace
}  // namespace chat::test
