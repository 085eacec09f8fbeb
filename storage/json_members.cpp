#include "storage/json_members.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace chat {
namespace {

// What a string literal (with its quotation marks) says.
std::optional<std::string> unescaped(std::string_view literal) {
  const auto value = nlohmann::json::parse(literal, nullptr, false);
  if (!value.is_string()) return std::nullopt;
  return value.get<std::string>();
}

}  // namespace

JsonMembers::JsonMembers(std::string_view object) : text_(object) {
  if (!skip_space() || text_[at_] != '{') {
    at_ = text_.size();
    return;
  }
  ++at_;
}

// False: the text is at its end.
bool JsonMembers::skip_space() {
  at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
  return at_ < text_.size();
}

// From a quotation mark to behind the one that closes it.
bool JsonMembers::skip_string() {
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\\') {
      ++at_;
    } else if (text_[at_] == '"') {
      ++at_;
      return true;
    }
  }
  at_ = text_.size();
  return false;
}

bool JsonMembers::skip_value() {
  if (text_[at_] == '"') return skip_string();
  if (text_[at_] != '{' && text_[at_] != '[') {
    at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
    return at_ < text_.size();
  }
  for (int depth = 0; at_ < text_.size();) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

bool JsonMembers::next() {
  if (brace_ != std::string_view::npos || !skip_space()) return false;
  if (text_[at_] == '}') {
    brace_ = at_;
    return false;
  }
  if (!std::exchange(first_, false)) {
    if (text_[at_] != ',') return false;
    ++at_;
    if (!skip_space()) return false;
  }
  const auto name = at_;
  if (text_[at_] != '"' || !skip_string()) return false;
  name_ = text_.substr(name + 1, at_ - name - 2);
  if (!skip_space() || text_[at_] != ':') return false;
  ++at_;
  if (!skip_space()) return false;
  value_ = at_;
  if (!skip_value()) return false;
  value_end_ = at_;
  return true;
}

bool JsonMembers::named(std::string_view name) const {
  if (name_ == name) return true;
  return name_.find('\\') != std::string_view::npos && unescaped("\"" + std::string(name_) + "\"") == name;
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  JsonMembers members(object);
  while (members.next()) {
    if (members.named(name)) return members.value();
  }
  return std::nullopt;
}

std::optional<std::int64_t> json_number(std::string_view object, std::string_view name) {
  const auto value = json_member(object, name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto end = value->data() + value->size();
  const auto read = std::from_chars(value->data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<std::string> json_text(std::string_view object, std::string_view name) {
  const auto value = json_member(object, name);
  return value && value->starts_with('"') ? unescaped(*value) : std::nullopt;
}

}  // namespace chat
