#include "bridge/standings/pages.h"

#include <algorithm>
#include <tuple>

namespace chat {
namespace {

bool comes_before(const ListPlace& one, const ListPlace& other) {
  return std::tie(one.unread, one.active, one.conv_id) > std::tie(other.unread, other.active, other.conv_id);
}

}  // namespace

OverviewKeys overview_keys(std::span<const UnreadStanding> standings, const std::optional<ListPlace>& behind,
                           int limit) {
  std::vector<ListPlace> places;
  places.reserve(standings.size());
  for (const auto& one : standings) {
    const ListPlace place{one.row.unread > 0, one.active, one.key.conv_id};
    if (!behind || comes_before(*behind, place)) places.push_back(place);
  }
  const auto rows = std::min(places.size(), static_cast<std::size_t>(limit));
  const auto end = places.begin() + static_cast<std::ptrdiff_t>(rows);
  std::partial_sort(places.begin(), end, places.end(), comes_before);
  OverviewKeys keys;
  for (auto place = places.begin(); place != end; ++place) keys.convs.push_back(place->conv_id);
  if (rows > 0 && end != places.end()) keys.next = *(end - 1);
  return keys;
}

UnreadPage unread_page(std::span<const UnreadStanding> standings, ConvId behind, int limit) {
  UnreadPage page;
  std::vector<const UnreadStanding*> rows;
  for (const auto& one : standings) {
    if (!one.row.muted) page.total += one.row.unread;
    if (one.row.unread > 0 && one.key.conv_id > behind) rows.push_back(&one);
  }
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->key.conv_id < b->key.conv_id; });
  for (const auto* row : rows) {
    if (static_cast<int>(page.rows.size()) == limit) break;
    page.rows.push_back(row->row);
    page.next = row->key.conv_id;
  }
  if (page.rows.size() == rows.size()) page.next = 0;
  return page;
}

}  // namespace chat
