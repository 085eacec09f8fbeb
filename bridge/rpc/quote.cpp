#include "bridge/rpc/quote.h"

namespace chat {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string shown(text.substr(0, kQuoteMax));
  if (shown.size() < text.size()) {
    while (!shown.empty() && continues_character(text[shown.size()])) shown.pop_back();
    shown += "…";
  }
  std::string result = nlohmann::json(shown).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // dump() leaves DEL as it is; some terminals act on it.
  for (std::size_t at = 0; (at = result.find('\x7f', at)) != std::string::npos;) result.replace(at, 1, "\\u007f");
  return result;
}

std::string described(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::string:
      return in_quotes(value.get_ref<const std::string&>());
    case nlohmann::json::value_t::array:
      return "an array";
    case nlohmann::json::value_t::object:
      return "an object";
    default:
      return value.dump();  // null, true, false or a number: short
  }
}

}  // namespace chat
