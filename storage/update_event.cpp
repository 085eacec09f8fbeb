#include "storage/update_event.h"

#include <nlohmann/json.hpp>

namespace chat {

std::string update_event_payload(std::string_view conv, Rev rev, TimeMs server_time, std::string_view by,
                                 const ConversationUpdate& update) {
  nlohmann::ordered_json out;
  out["conv"] = conv;
  out["rev"] = rev;
  out["server_time"] = server_time;
  out["kind"] = "conversation.updated";
  out["by"] = by;
  if (update.title) out["title"] = *update.title;
  if (update.avatar) out["avatar"] = *update.avatar;
  if (update.announcement) out["announcement"] = *update.announcement;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace chat
