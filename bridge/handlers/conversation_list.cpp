// `conversation.list` {"limit"?,"cursor"?}: those with unread messages first, then the latest activity.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"
#include "bridge/standings/pages.h"

namespace chat {

namespace {

ConversationPage page_of(const Services& services, const std::string& user, const std::optional<ListPlace>& behind,
                         int limit) {
  const auto now = services.now();
  if (services.standings == nullptr) return services.requests->overview(user, behind, limit, now);
  if (const auto standings = services.standings->of(user, now)) {
    auto keys = overview_keys(*standings, behind, limit);
    return {.rows = services.requests->overview_of(user, keys.convs, now), .next = keys.next};
  }
  auto page = services.requests->overview(user, behind, limit, now);
  if (page.conversations > 0) services.standings->listed(user, page.conversations);
  return page;
}

}  // namespace

Handler conversation_list(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const int limit = fields.limit(kPageUsual, kPageMost);
    std::optional<ListPlace> behind;
    if (const auto at = fields.cursor(3)) behind = ListPlace{(*at)[0] != 0, (*at)[1], (*at)[2]};
    const auto page = page_of(services, request.user, behind, limit);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& view : page.rows) {
      rows.push_back(json_of(view));
      if (view.last) rows.back()["last"] = preview_of(*view.last);
    }
    nlohmann::ordered_json answer{{"conversations", std::move(rows)}};
    if (page.next) answer["cursor"] = cursor_text({page.next->unread ? 1 : 0, page.next->active, page.next->conv_id});
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
