// Pages of what a user's standings say, in the orders of RequestStore's overview() and unread(). No threads, no store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "storage/requests.h"
#include "storage/unread.h"

namespace chat {

struct OverviewKeys {
  std::vector<ConvId> convs;      // of the page's rows
  std::optional<ListPlace> next;  // nullopt: that was all
};

OverviewKeys overview_keys(std::span<const UnreadStanding> standings, const std::optional<ListPlace>& behind,
                           int limit);
UnreadPage unread_page(std::span<const UnreadStanding> standings, ConvId behind, int limit);

}  // namespace chat
