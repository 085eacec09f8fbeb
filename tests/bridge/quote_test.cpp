#include "bridge/rpc/quote.h"

#include <gtest/gtest.h>

#include <string>

namespace chat {
namespace {

using nlohmann::json;

TEST(Quote, ShortTextIsShownWhole) {
  EXPECT_EQ(in_quotes("ping"), R"("ping")");
}

TEST(Quote, NoLineBreakOrControlCharacterGetsThrough) {
  EXPECT_EQ(in_quotes("a\nb\x1b[31m\x7f"), R"("a\nb\u001b[31m\u007f")");
}

TEST(Quote, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(in_quotes("a\xff z"), "\"a\xEF\xBF\xBD z\"");
}

TEST(Quote, LongTextIsCutBetweenCharacters) {
  std::string text(kQuoteMax - 1, 'x');
  EXPECT_EQ(in_quotes(text + "ü and more"), "\"" + text + "…\"");
  EXPECT_EQ(in_quotes(text + "y"), "\"" + text + "y\"");
}

TEST(Quote, ValuesAreDescribedShortly) {
  EXPECT_EQ(described(json("x")), R"("x")");
  EXPECT_EQ(described(json(5)), "5");
  EXPECT_EQ(described(json(nullptr)), "null");
  EXPECT_EQ(described(json::array({1, 2})), "an array");
  EXPECT_EQ(described(json::object()), "an object");
}

}  // namespace
}  // namespace chat
