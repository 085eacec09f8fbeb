#include "storage/postgres/array_text.h"

#include <array>
#include <charconv>

namespace chat {

void ArrayText::separate() {
  if (!empty()) text_.push_back(',');
}

void ArrayText::add(std::int64_t value) {
  separate();
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text_.append(digits.data(), end);
}

// Always quoted, so that a user named "null" is a name.
void ArrayText::add(std::string_view value) {
  separate();
  text_.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') text_.push_back('\\');
    text_.push_back(c);
  }
  text_.push_back('"');
}

ArrayText array_of(std::span<const std::string> values) {
  ArrayText array;
  for (const auto& value : values) array.add(value);
  return array;
}

}  // namespace chat
