// `unread.get` {"conv"?,"limit"?,"cursor"?}: the total, and each conversation with unread messages, or that one.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "bridge/standings/pages.h"

namespace chat {
namespace {

nlohmann::ordered_json row_of(const UnreadRow& row) {
  return {{"conv", row.conv}, {"unread", row.unread}, {"mentions", row.mentions}, {"muted", row.muted}};
}

UnreadPage page_of(const Services& services, const std::string& user, ConvId behind, int limit) {
  const auto now = services.now();
  if (services.standings != nullptr) {
    if (const auto standings = services.standings->of(user, now)) return unread_page(*standings, behind, limit);
  }
  return services.requests->unread(user, behind, limit, now);
}

}  // namespace

Handler unread_get(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    if (fields.has("conv")) {
      const auto view = services.requests->conversation(fields.conversation(), request.user, services.now());
      return Reply::success(row_of({view.conv, view.unread, view.mentions, view.muted}));
    }
    const int limit = fields.limit(kPageMost, kPageMost);
    const auto at = fields.cursor(1);
    const auto page = page_of(services, request.user, at ? at->front() : 0, limit);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& row : page.rows) rows.push_back(row_of(row));
    nlohmann::ordered_json answer{{"total", page.total}, {"conversations", std::move(rows)}};
    if (page.next != 0) answer["cursor"] = cursor_text({page.next});
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
