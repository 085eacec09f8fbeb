// What another parser than ours says of a payload: nlohmann's, and the names of the outermost object in their order,
// repeated ones included (a parsed object shows only the last).
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace chat::fuzz {

struct StrictObject {
  bool valid = false;  // one JSON object and nothing else
  nlohmann::json value;
  std::vector<std::string> names;

  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count(names.begin(), names.end(), name));
  }
};

inline StrictObject strict_object(std::string_view text) {
  using nlohmann::json;
  StrictObject object;
  // Where the lexer meets a NUL it believes that the text is at its end.
  if (text.find('\0') != std::string_view::npos) return object;
  const auto keep_names = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) object.names.push_back(parsed.get<std::string>());
    return true;
  };
  object.value = json::parse(text, keep_names, false);
  object.valid = object.value.is_object();
  return object;
}

}  // namespace chat::fuzz
