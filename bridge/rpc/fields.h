// The fields of a request, each checked as it is taken: what a handler gets is within its bounds.
//
// Every method throws StoreRefused with a sentence that holds the offending value: bad_field, or not_found where a name
// is so wrong that nothing can have it. Those with `optional_` in front answer nullopt for a field that is not there;
// null is no value. Any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

class Fields {
 public:
  // `object` outlives it.
  explicit Fields(const nlohmann::json& object) : object_(object) {}

  bool has(const char* name) const { return object_.contains(name); }
  const nlohmann::json* find(const char* name) const;  // nullptr: not there

  // At most `bytes_max` bytes, no U+0000 (PostgreSQL can't keep it).
  std::string text(const char* name, std::size_t bytes_max) const;
  std::optional<std::string> optional_text(const char* name, std::size_t bytes_max) const;
  std::optional<bool> optional_flag(const char* name) const;
  // A whole number from `low` to `high`.
  std::int64_t number(const char* name, std::int64_t low, std::int64_t high) const;
  std::optional<std::int64_t> optional_number(const char* name, std::int64_t low, std::int64_t high) const;
  int limit(int usual, int most) const;  // "limit", from 1 to `most`

  std::string conversation() const;  // "conv"; not_found where it is no conversation's name
  Seq seq(const char* name) const;   // from 1
  std::string user(const char* name) const;
  // An array of 1 (or, with `may_be_empty`, 0) to `most` user names.
  std::vector<std::string> users(const char* name, std::size_t most, bool may_be_empty = false) const;
  // "cursor": an array of `count` whole numbers in the text that a page's end gave, or nullopt.
  std::optional<std::vector<std::int64_t>> cursor(std::size_t count) const;
  // "cursor": a name of at most `bytes_max` bytes; empty where it is not there.
  std::string name_cursor(std::size_t bytes_max) const;

  // "the field {name} is {its value}, and must be {what}", or "… is missing, and …".
  StoreRefused wrong(const char* name, std::string_view what) const;

 private:
  const nlohmann::json& object_;
};

// The text that Fields::cursor() reads.
std::string cursor_text(const std::vector<std::int64_t>& numbers);

// Of a value inside a field: bad_field, "the field {name} holds {value}, and must hold {what}".
StoreRefused wrong_inside(const char* name, const nlohmann::json& value, std::string_view what);

// nullopt: not a whole number from `low` to `high`.
std::optional<std::int64_t> whole_number(const nlohmann::json& value, std::int64_t low, std::int64_t high);

}  // namespace chat
