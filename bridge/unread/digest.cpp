#include "bridge/unread/digest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace chat {

std::vector<Outgoing> unread_publishes(const std::string& prefix, const UnreadNews& news) {
  std::vector<Outgoing> publishes;
  const auto topic = prefix + "/u/" + news.user + "/unread";
  const auto pages = std::max<std::size_t>(1, (news.rows.size() + kDigestRowsMax - 1) / kDigestRowsMax);
  for (std::size_t page = 0; page < pages; ++page) {
    nlohmann::ordered_json digest{{"total", news.total}};
    if (news.whole) {
      digest["page"] = page + 1;
      digest["pages"] = pages;
    }
    auto rows = nlohmann::ordered_json::array();
    const auto end = std::min(news.rows.size(), (page + 1) * kDigestRowsMax);
    for (auto i = page * kDigestRowsMax; i < end; ++i) {
      const auto& row = news.rows[i];
      rows.push_back({{"conv", row.conv}, {"unread", row.unread}, {"mentions", row.mentions}, {"muted", row.muted}});
    }
    digest["conversations"] = std::move(rows);
    publishes.push_back({.topic = topic, .payload = digest.dump(), .correlation = std::nullopt});
  }
  if (news.total_changed) {
    publishes.push_back(
        {.topic = topic + "/total", .payload = std::to_string(news.total), .correlation = std::nullopt});
  }
  return publishes;
}

}  // namespace chat
