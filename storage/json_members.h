// The members of a JSON object as they stand in its text: what changes one value of a message without touching another
// byte of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

// Goes through the members of one object from the outside in: what lies inside a value is stepped over, without
// recursion. Text that is no JSON ends the walk early and is never read beyond its end.
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view object);

  bool next();  // false: there is no further member
  bool named(std::string_view name) const;
  std::string_view name() const { return name_; }  // as it is written, without its quotation marks
  std::string_view value() const { return text_.substr(value_, value_end_ - value_); }  // as it is written
  std::size_t value_begin() const { return value_; }
  std::size_t value_end() const { return value_end_; }
  // Behind the last member: where the closing brace is; npos where the text ended without one.
  std::size_t brace() const { return brace_; }

 private:
  bool skip_space();
  bool skip_string();
  bool skip_value();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t brace_ = std::string_view::npos;
  std::string_view name_;  // between its quotation marks
  std::size_t value_ = 0;
  std::size_t value_end_ = 0;
  bool first_ = true;
};

// The value of the first member with that name, as it is written.
std::optional<std::string_view> json_member(std::string_view object, std::string_view name);

// The same, read: nullopt where it is not there, or is no whole number (no string).
std::optional<std::int64_t> json_number(std::string_view object, std::string_view name);
std::optional<std::string> json_text(std::string_view object, std::string_view name);

}  // namespace chat
