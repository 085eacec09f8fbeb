#include "storage/activity.h"

#include <charconv>

#include "storage/names.h"

namespace chat {
namespace {

bool read_word(std::string_view word, Activity* activity) {
  ConvId conv = 0;
  const auto* const end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, conv);
  if (error != std::errc{} || conv <= 0) return false;
  if (rest == end) {
    activity->conversations.push_back(conv);
    return true;
  }
  const std::string_view user(rest + 1, static_cast<std::size_t>(end - rest - 1));
  if (*rest != ':' || !valid_user_name(user)) return false;
  activity->members.push_back({conv, std::string(user)});
  return true;
}

}  // namespace

std::string& ActivityNotices::text_with_room() {
  if (texts_.empty() || texts_.back().size() >= kNoticeBytesMax) texts_.emplace_back();
  auto& text = texts_.back();
  if (!text.empty()) text.push_back(' ');
  return text;
}

void ActivityNotices::add(ConvId conv) {
  text_with_room().append(std::to_string(conv));
}

void ActivityNotices::add(ConvId conv, std::string_view user) {
  text_with_room().append(std::to_string(conv)).append(":").append(user);
}

void read_activity(std::string_view notice, Activity* activity) {
  while (true) {
    const auto space = notice.find(' ');
    if (!read_word(notice.substr(0, space), activity)) {
      activity->everything = true;
      return;
    }
    if (space == std::string_view::npos) return;
    notice.remove_prefix(space + 1);
  }
}

}  // namespace chat
