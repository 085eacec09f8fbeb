#include "plugin/core/ack_json.h"

#include <nlohmann/json.hpp>

namespace chat {

void AckJson::add(std::string_view id, std::string_view conv, Seq seq, TimeMs server_time) {
  entries_ += entries_.empty() ? "{\"id\":" : ",{\"id\":";
  entries_ += id.empty() ? "null" : nlohmann::json(id).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  entries_.append(",\"conv\":\"").append(conv).append("\",\"seq\":").append(std::to_string(seq));
  entries_.append(",\"server_time\":").append(std::to_string(server_time)).append(",\"status\":\"sent\"}");
  ++count_;
}

std::string AckJson::take() {
  auto json = "{\"acks\":[" + entries_ + "]}";
  entries_.clear();
  count_ = 0;
  return json;
}

}  // namespace chat
