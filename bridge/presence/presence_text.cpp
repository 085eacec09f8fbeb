#include "bridge/presence/presence_text.h"

#include <nlohmann/json.hpp>

namespace chat {

std::string presence_text(const std::string& user, bool online, TimeMs last_seen) {
  return nlohmann::ordered_json{{"user", user}, {"online", online}, {"last_seen", last_seen}}.dump();
}

std::string presence_topic(std::string_view prefix, std::string_view user) {
  std::string topic(prefix);
  return topic.append("/u/").append(user).append("/presence");
}

}  // namespace chat
