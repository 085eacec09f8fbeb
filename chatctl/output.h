// What chatctl prints: tables for people, one JSON value for programs.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/types.h"

namespace chat::ctl {

using Json = nlohmann::ordered_json;

// Columns in line, two spaces apart. Free text belongs into the last one, which nothing is aligned behind.
class Table {
 public:
  Table(std::initializer_list<std::string_view> head);
  void add(std::vector<std::string> row);  // as many cells as the head
  void print() const;                      // on stdout; only the head where there are no rows

 private:
  std::vector<std::vector<std::string>> rows_;
};

void print_line(std::string_view line);  // on stdout
void print_json(const Json& value);      // on stdout, indented

std::string time_text(TimeMs time);  // 2025-06-15T12:00:00Z; "-" for 0
TimeMs time_now();

// The text with control characters shown as "?": a title must not drive a terminal.
std::string harmless(std::string_view text);

std::string text_or_default(const std::optional<Replay>& replay);  // "default" where none is set
std::string text_or_default(const std::optional<AckMode>& ack);
std::string text_or_default(const std::optional<int>& number);

}  // namespace chat::ctl
