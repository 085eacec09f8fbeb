#include "chatctl/output.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>

#include "storage/labels.h"

namespace chat::ctl {

Table::Table(std::initializer_list<std::string_view> head) {
  rows_.emplace_back(head.begin(), head.end());
}

void Table::add(std::vector<std::string> row) {
  rows_.push_back(std::move(row));
}

void Table::print() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.at(i).size());
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += row[i];
      if (i + 1 < widths.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print_line(line);
  }
}

void print_line(std::string_view line) {
  std::cout << line << '\n';
}

void print_json(const Json& value) {
  std::cout << value.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string time_text(TimeMs time) {
  if (time == 0) return "-";
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

TimeMs time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string harmless(std::string_view text) {
  std::string shown(text);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return shown;
}

std::string text_or_default(const std::optional<Replay>& replay) {
  return std::string(replay ? label(*replay) : "default");
}
std::string text_or_default(const std::optional<AckMode>& ack) {
  return std::string(ack ? label(*ack) : "default");
}
std::string text_or_default(const std::optional<int>& number) {
  return number ? std::to_string(*number) : "default";
}

}  // namespace chat::ctl
