// `receipt.list` {"conv","seq","limit"?,"cursor"?}: who has received and read a message, in byte order of name.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/names.h"

namespace chat {

Handler receipt_list(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto conv = fields.conversation();
    const auto seq = fields.seq("seq");
    const int limit = fields.limit(kPageUsual, kPageMost);
    const auto page = services.requests->receipts(conv, request.user, seq, fields.name_cursor(kUserNameMax), limit);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& row : page.rows) {
      rows.push_back({{"user", row.user}, {"delivered", row.delivered}, {"read", row.read}});
    }
    nlohmann::ordered_json answer{
        {"conv", conv}, {"seq", seq}, {"members", page.members}, {"read", page.read}, {"receipts", std::move(rows)}};
    if (page.more) answer["cursor"] = page.rows.back().user;
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
