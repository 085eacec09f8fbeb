#include "plugin/auth/token.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugin/auth/base64url.h"

namespace chat {
namespace {

using nlohmann::json;

// What a header must say, and nothing that we would have to understand: "crit" names extensions without which the token
// means something else (RFC 7515, section 4.1.11).
std::string read_header(const std::string& text, Token* token) {
  const auto header = json::parse(text, nullptr, false);
  if (!header.is_object()) return "its header is no JSON object";
  const auto algorithm = header.find("alg");
  if (algorithm == header.end() || !algorithm->is_string()) return "its header has no \"alg\"";
  if (header.contains("crit")) return "its header has a \"crit\", and this broker knows no extension";
  token->algorithm = algorithm->get<std::string>();
  const auto key_id = header.find("kid");
  if (key_id == header.end()) return {};
  if (!key_id->is_string()) return "its header has a \"kid\" that is no text";
  token->key_id = key_id->get<std::string>();
  return {};
}

}  // namespace

bool looks_like_token(std::string_view password) {
  // `{` is `ew…` to `e3…` in base64url, whatever stands behind it; `{"` is `ey`.
  return password.starts_with('e') && std::count(password.begin(), password.end(), '.') == 2 &&
         from_base64url(password.substr(0, password.find('.'))).value_or("").starts_with('{');
}

std::optional<Token> read_token(std::string_view password, std::string* why) {
  if (password.size() > kTokenBytesMax) {
    *why = "it has " + std::to_string(password.size()) + " bytes, and at most " + std::to_string(kTokenBytesMax) +
           " are taken";
    return std::nullopt;
  }
  Token token;
  token.text.whole = password;
  const auto first = password.find('.');
  const auto second = first == std::string_view::npos ? first : password.find('.', first + 1);
  if (second == std::string_view::npos || password.find('.', second + 1) != std::string_view::npos) {
    *why = "it does not have three parts";
    return std::nullopt;
  }
  const auto header = from_base64url(password.substr(0, first));
  const auto payload = from_base64url(password.substr(first + 1, second - first - 1));
  const auto signature = from_base64url(password.substr(second + 1));
  if (!header || !payload || !signature) {
    *why = "a part of it is no base64url";
    return std::nullopt;
  }
  *why = read_header(*header, &token);
  if (!why->empty()) return std::nullopt;
  token.payload = *payload;
  token.text.signature = *signature;
  token.text.signed_bytes = second;
  return token;
}

}  // namespace chat
