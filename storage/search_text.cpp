#include "storage/search_text.h"

#include <nlohmann/json.hpp>

#include "storage/json_members.h"

namespace chat {

std::string search_text(std::string_view payload) {
  const auto written = json_member(payload, "body");
  if (!written) return {};
  const auto body = nlohmann::json::parse(*written, nullptr, false);
  if (const auto* text = body.get_ptr<const std::string*>()) {
    return json_text(payload, "type").value_or("text") == "text" ? *text : std::string();
  }
  std::string all;
  if (!body.is_object()) return all;
  for (const char* name : {"text", "caption", "name"}) {
    const auto found = body.find(name);
    const auto* text = found == body.end() ? nullptr : found->get_ptr<const std::string*>();
    if (text == nullptr) continue;
    if (!all.empty()) all.push_back('\n');
    all += *text;
  }
  return all;
}

}  // namespace chat
