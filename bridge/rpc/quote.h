// Values that a stranger wrote, made fit for a sentence or a log line: no line break, no control character, bounded in
// length.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chat {

inline constexpr std::size_t kQuoteMax = 80;  // bytes of the value that are shown; what is longer ends with "…"

// The text between quotation marks, escaped as in JSON; bytes that are not UTF-8 become U+FFFD.
std::string in_quotes(std::string_view text);

// A JSON value in a few words: a string as in_quotes(), a number as it is, "an array", "an object" …
std::string described(const nlohmann::json& value);

}  // namespace chat
