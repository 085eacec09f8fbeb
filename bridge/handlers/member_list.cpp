// `member.list` {"conv","limit"?,"cursor"?}, in byte order of name.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/labels.h"
#include "storage/names.h"

namespace chat {

Handler member_list(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto limit = static_cast<std::size_t>(fields.limit(kPageUsual, kPageMost));
    const auto behind = fields.name_cursor(kUserNameMax);
    const auto seat = services.requests->seat(fields.conversation(), request.user);
    const auto members = services.requests->members(seat.conv_id, behind, static_cast<int>(limit) + 1);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& member : members) {
      if (rows.size() == limit) break;
      rows.push_back({{"user", member.user},
                      {"name", member.name},
                      {"role", label(member.role)},
                      {"joined_at", member.joined_at}});
    }
    nlohmann::ordered_json answer{{"members", std::move(rows)}};
    if (members.size() > limit) answer["cursor"] = members[limit - 1].user;
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
