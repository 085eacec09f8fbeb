#include "bridge/rpc/strict_json.h"

#include <gtest/gtest.h>

#include <string>

namespace chat {
namespace {

using nlohmann::json;

std::string nested(int depth) {
  const auto levels = static_cast<std::size_t>(depth);
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(StrictJson, WhatIsJsonIsReadAsTheLibraryReadsIt) {
  for (const std::string text :
       {R"({"a":[1,-2,3.5,true,false,null,"x",{"b":{}}],"c":"ü"})", "[]", "7", R"("text")", "null"}) {
    const StrictJson parsed = parse_strict(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error;
    EXPECT_EQ(parsed.value, json::parse(text)) << text;
  }
}

TEST(StrictJson, ANameTwiceInOneObjectIsRefused) {
  EXPECT_EQ(parse_strict(R"({"a":1,"a":2})").error, R"(holds the name "a" twice)");
  EXPECT_EQ(parse_strict(R"({"x":[{"a":1,"\u0061":2}]})").error, R"(holds the name "a" twice)");
  EXPECT_TRUE(parse_strict(R"([{"a":1},{"a":2}])").ok());
}

TEST(StrictJson, NestingHasABound) {
  EXPECT_TRUE(parse_strict(nested(kJsonDepthMax)).ok());
  EXPECT_EQ(parse_strict(nested(kJsonDepthMax + 1)).error, "is nested deeper than 64 levels");
  EXPECT_FALSE(parse_strict(std::string(1'000'000, '[')).ok());
}

TEST(StrictJson, NothingBehindTheErrorGetsIn) {
  const StrictJson parsed = parse_strict(R"({"user":"alice","x":1}},"user":"bob"})");
  EXPECT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.value, json::parse(R"({"user":"alice","x":1})"));
  const StrictJson doubled = parse_strict(R"({"user":"alice","user":"bob","later":1})");
  EXPECT_EQ(doubled.value, json::parse(R"({"user":"alice"})"));
}

TEST(StrictJson, BrokenTextsAreRefusedWithThePlace) {
  EXPECT_EQ(parse_strict(R"({"a":oops})").error, R"(is not JSON near "\"a\":o")");
  for (const std::string text :
       {"", "{", "{}{}", "[1,]", R"({"a" 1})", "\"\xff\"", "nul", "1e999", R"({"a":1)", "{}\n\x01"}) {
    EXPECT_FALSE(parse_strict(text).ok()) << text;
  }
}

}  // namespace
}  // namespace chat
