#include "bridge/standings/standing_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

namespace chat {
namespace {

constexpr std::string_view kForm = "chat-standings-1";

// Words with one space between, and the end of each line told by the line's own length.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view next() {
    const auto word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), word.size() + 1));
    return word;
  }
  template <typename Number>
  Number number() {
    const auto word = next();
    Number value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    good_ = good_ && error == std::errc{} && end == word.data() + word.size();
    return value;
  }
  bool all_read() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

// Takes the first line off; the text ends with a line's end, or is not all there.
std::optional<std::string_view> take_line(std::string_view* text) {
  const auto end = text->find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text->substr(0, end);
  text->remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string standing_text(const KeptStandings& kept) {
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "{} {} {} {} {}\n", kForm, kept.mark.era, kept.mark.number, kept.at,
                 kept.standings.size());
  for (const auto& one : kept.standings) {
    fmt::format_to(std::back_inserter(out), "{} {} {} {} {} {} {}\n", one.key.conv_id, one.row.conv, one.row.unread,
                   one.row.mentions, one.row.muted ? 1 : 0, one.changes_at, one.active);
  }
  return fmt::to_string(out);
}

std::optional<KeptStandings> read_standings(std::string_view text, const std::string& user) {
  const auto head = take_line(&text);
  if (!head) return std::nullopt;
  Words first(*head);
  if (first.next() != kForm) return std::nullopt;
  KeptStandings kept;
  kept.mark.era = first.number<std::uint64_t>();
  kept.mark.number = first.number<std::uint64_t>();
  kept.at = first.number<TimeMs>();
  const auto count = first.number<std::size_t>();
  if (!first.all_read()) return std::nullopt;
  kept.standings.reserve(std::min(count, text.size()));
  while (!text.empty()) {
    const auto line = take_line(&text);
    if (!line) return std::nullopt;
    Words words(*line);
    auto& one = kept.standings.emplace_back();
    one.key = {words.number<ConvId>(), user};
    one.row.conv = words.next();
    one.row.unread = words.number<std::int64_t>();
    one.row.mentions = words.number<std::int64_t>();
    one.row.muted = words.number<int>() != 0;
    one.changes_at = words.number<TimeMs>();
    one.active = words.number<TimeMs>();
    if (!words.all_read()) return std::nullopt;
  }
  if (kept.standings.size() != count) return std::nullopt;
  return kept;
}

}  // namespace chat
