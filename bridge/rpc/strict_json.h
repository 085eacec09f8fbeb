// Reads JSON that a stranger may have shaped. Stricter than JSON itself, so that what one program checked and what
// another acts upon can't be two different things.
//
// Invariants
//  (1) No object of the result holds a name twice.
//  (2) Nothing is nested deeper than kJsonDepthMax: copying, printing and comparing the result are recursive, and stay
//  shallow. (3) Where the text is refused, `value` holds what stood before the offending place; nothing behind it ever
//  got in.
// Never throws but for lack of memory. Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chat {

inline constexpr int kJsonDepthMax = 64;  // objects and arrays inside each other, the outermost included

struct StrictJson {
  nlohmann::json value;
  std::string error;  // half a sentence, such as: holds the name "user" twice; empty = the whole text was read

  bool ok() const { return error.empty(); }
};

StrictJson parse_strict(std::string_view text);

}  // namespace chat
