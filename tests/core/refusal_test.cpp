#include "plugin/core/refusal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace chat {
namespace {

using nlohmann::json;

TEST(RefusalJson, SaysCodeReasonTopicAndId) {
  EXPECT_EQ(refusal_json({.code = Code::kIdConflict, .reason = "Because.", .id = "7"}, "chat/x"),
            R"({"code":"id_conflict","reason":"Because.","topic":"chat/x","id":"7"})");
  EXPECT_TRUE(json::parse(refusal_json({.code = Code::kBadJson, .reason = "x", .id = ""}, "t")).at("id").is_null());
}

TEST(RefusalJson, IsValidWhateverBytesTheClientSent) {
  for (const std::string& bytes :
       {std::string("\xff\xfe"), std::string("a\0b", 3), std::string("\"\\\n"), std::string("\xc3")}) {
    const auto parsed =
        json::parse(refusal_json({.code = Code::kBadField, .reason = in_quotes(bytes), .id = bytes}, bytes));
    EXPECT_EQ(parsed.at("code"), "bad_field");
  }
}

TEST(RefusalJson, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::kUnknownOperation); ++code)
    names.insert(code_name(static_cast<Code>(code)));
  const std::set<std::string_view> contract{
      "bad_json", "bad_field", "reserved_field", "too_large",    "not_member",   "not_found",   "not_allowed",
      "too_late", "blocked",   "id_conflict",    "rate_limited", "storage_full", "unavailable", "unknown_operation"};
  EXPECT_EQ(names, contract);
}

TEST(InQuotes, CutsLongTextNotInsideACharacterAndHidesControlBytes) {
  EXPECT_EQ(in_quotes("short"), "\"short\"");
  EXPECT_EQ(in_quotes("a\nb\x7f"), "\"a?b?\"");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xf0\x9f\x91\x8d";
  for (int shift = 0; shift < 4; ++shift) {
    const auto quoted = in_quotes(std::string(static_cast<std::size_t>(shift), 'x') + text);
    EXPECT_LT(quoted.size(), 100U);
    EXPECT_NO_THROW(json(quoted).dump()) << quoted;  // strict: throws on broken UTF-8
    EXPECT_TRUE(quoted.ends_with("…\""));
  }
}

}  // namespace
}  // namespace chat
