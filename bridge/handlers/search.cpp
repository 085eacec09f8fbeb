// `search` {"words","conv"?,"from"?,"after"?,"before"?,"limit"?,"cursor"?}: messages with all of the words, the newest
// first.
#include <limits>

#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"

namespace chat {

Handler search(const Services& services) {
  return [services](const Request& request) {
    constexpr auto kEnd = std::numeric_limits<TimeMs>::max();
    const Fields fields(request.fields);
    SearchWanted wanted;
    wanted.words = fields.text("words", kSearchedMax);
    wanted.after = fields.optional_number("after", 0, kEnd - 1).value_or(0);
    wanted.below.server_time = fields.optional_number("before", 0, kEnd).value_or(kEnd);
    const int limit = fields.limit(kPageUsual, kHistoryMost);
    // The page before ended below `before`, so its cursor says all.
    if (const auto at = fields.cursor(3)) wanted.below = {(*at)[0], (*at)[1], (*at)[2]};
    if (fields.has("from")) wanted.from = fields.user("from");
    if (fields.has("conv")) wanted.conv_id = services.requests->seat(fields.conversation(), request.user).conv_id;

    const auto page = services.requests->search(request.user, wanted, limit, kAnswerBytes, services.now());
    auto answer = nlohmann::ordered_json::object();
    if (page.next) answer["cursor"] = cursor_text({page.next->server_time, page.next->conv_id, page.next->seq});
    return Reply::success(std::move(answer), messages_member(page.rows));
  };
}

}  // namespace chat
