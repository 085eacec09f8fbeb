// `contact.list` {"state"?,"limit"?,"cursor"?}: contacts, requests and blocks, in byte order of name.
#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/rpc/fields.h"
#include "storage/labels.h"
#include "storage/names.h"

namespace chat {
namespace {

std::optional<ContactState> state_of(const Fields& fields) {
  constexpr std::size_t kWordMax = 16;  // bytes
  const auto word = fields.optional_text("state", kWordMax);
  if (!word) return std::nullopt;
  const auto state = contact_state_from(*word);
  if (!state) throw fields.wrong("state", "pending_out, pending_in, accepted or blocked");
  return state;
}

}  // namespace

Handler contact_list(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    const auto limit = static_cast<std::size_t>(fields.limit(kPageUsual, kPageMost));
    const auto contacts = services.requests->contacts(request.user, state_of(fields), fields.name_cursor(kUserNameMax),
                                                      static_cast<int>(limit) + 1);
    auto rows = nlohmann::ordered_json::array();
    for (const auto& contact : contacts) {
      if (rows.size() == limit) break;
      rows.push_back({{"user", contact.user},
                      {"name", contact.name},
                      {"avatar", contact.avatar},
                      {"state", label(contact.state)},
                      {"at", contact.at}});
    }
    nlohmann::ordered_json answer{{"contacts", std::move(rows)}};
    if (contacts.size() > limit) answer["cursor"] = contacts[limit - 1].user;
    return Reply::success(std::move(answer));
  };
}

}  // namespace chat
