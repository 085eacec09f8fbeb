#include "bridge/rpc/fields.h"

#include <limits>

#include "bridge/rpc/codes.h"
#include "bridge/rpc/quote.h"
#include "bridge/rpc/strict_json.h"
#include "storage/names.h"

namespace chat {
namespace {

using nlohmann::json;

std::string up_to(std::size_t number, const char* what) {
  return "at most " + std::to_string(number) + " " + what;
}

}  // namespace

const json* Fields::find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

std::string Fields::text(const char* name, std::size_t bytes_max) const {
  const json* value = find(name);
  const auto* text = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  if (text == nullptr || text->size() > bytes_max || text->find('\0') != std::string::npos) {
    throw wrong(name, "a text of " + up_to(bytes_max, "bytes without U+0000"));
  }
  return *text;
}

std::optional<std::string> Fields::optional_text(const char* name, std::size_t bytes_max) const {
  if (!has(name)) return std::nullopt;
  return text(name, bytes_max);
}

std::optional<bool> Fields::optional_flag(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) throw wrong(name, "true or false");
  return value->get<bool>();
}

std::int64_t Fields::number(const char* name, std::int64_t low, std::int64_t high) const {
  const json* value = find(name);
  const auto number = value == nullptr ? std::nullopt : whole_number(*value, low, high);
  if (number) return *number;
  if (high == std::numeric_limits<std::int64_t>::max()) {
    throw wrong(name, "a whole number, at least " + std::to_string(low));
  }
  throw wrong(name, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
}

std::optional<std::int64_t> Fields::optional_number(const char* name, std::int64_t low, std::int64_t high) const {
  if (!has(name)) return std::nullopt;
  return number(name, low, high);
}

int Fields::limit(int usual, int most) const {
  return static_cast<int>(optional_number("limit", 1, most).value_or(usual));
}

std::string Fields::conversation() const {
  const json* value = find("conv");
  const auto* name = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  if (name == nullptr) throw wrong("conv", "a conversation's name");
  if (!valid_conversation_name(*name)) {
    throw StoreRefused("not_found", "there is no conversation " + in_quotes(*name));
  }
  return *name;
}

Seq Fields::seq(const char* name) const {
  return number(name, 1, std::numeric_limits<Seq>::max());
}

std::string Fields::user(const char* name) const {
  const json* value = find(name);
  const auto* user = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  if (user == nullptr) throw wrong(name, "a user's name");
  if (!valid_user_name(*user)) throw StoreRefused("not_found", "there is no user " + in_quotes(*user));
  return *user;
}

std::vector<std::string> Fields::users(const char* name, std::size_t most, bool may_be_empty) const {
  const json* value = find(name);
  if (value == nullptr || !value->is_array() || (value->empty() && !may_be_empty)) {
    throw wrong(name, "an array of " + up_to(most, "user names"));
  }
  if (value->size() > most) {
    throw StoreRefused(code::kBadField, "the field " + std::string(name) + " holds " + std::to_string(value->size()) +
                                            " names, and must hold " + up_to(most, "of them"));
  }
  std::vector<std::string> users;
  for (const auto& entry : *value) {
    const auto* user = entry.get_ptr<const std::string*>();
    if (user == nullptr) throw wrong_inside(name, entry, "user names");
    if (!valid_user_name(*user)) throw StoreRefused("not_found", "there is no user " + in_quotes(*user));
    users.push_back(*user);
  }
  return users;
}

std::optional<std::vector<std::int64_t>> Fields::cursor(std::size_t count) const {
  constexpr std::size_t kCursorMax = 100;  // bytes
  constexpr char kWhat[] = "the cursor of the page before, unchanged";
  const json* value = find("cursor");
  if (value == nullptr) return std::nullopt;
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr || text->size() > kCursorMax) throw wrong("cursor", kWhat);
  const auto parsed = parse_strict(*text);
  if (!parsed.ok() || !parsed.value.is_array() || parsed.value.size() != count) throw wrong("cursor", kWhat);
  std::vector<std::int64_t> numbers;
  for (const auto& entry : parsed.value) {
    const auto number =
        whole_number(entry, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    if (!number) throw wrong("cursor", kWhat);
    numbers.push_back(*number);
  }
  return numbers;
}

std::string Fields::name_cursor(std::size_t bytes_max) const {
  return optional_text("cursor", bytes_max).value_or("");
}

StoreRefused Fields::wrong(const char* name, std::string_view what) const {
  const json* value = find(name);
  std::string sentence = "the field " + std::string(name);
  sentence += value == nullptr ? " is missing" : " is " + described(*value);
  return {code::kBadField, sentence.append(", and must be ").append(what)};
}

std::string cursor_text(const std::vector<std::int64_t>& numbers) {
  return json(numbers).dump();
}

StoreRefused wrong_inside(const char* name, const json& value, std::string_view what) {
  std::string sentence = "the field " + std::string(name) + " holds " + described(value);
  return {code::kBadField, sentence.append(", and must hold ").append(what)};
}

std::optional<std::int64_t> whole_number(const json& value, std::int64_t low, std::int64_t high) {
  if (!value.is_number_integer()) return std::nullopt;
  // get<std::int64_t>() would wrap what only an unsigned number can hold.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high) return std::nullopt;
  return number;
}

}  // namespace chat
