#include "storage/postgres/conninfo.h"

#include <array>
#include <cctype>
#include <utility>

namespace chat {
namespace {

using Setting = std::pair<std::string_view, std::string_view>;

constexpr std::array<Setting, 6> kDefaults{{
    {"connect_timeout", "5"},       // seconds, for each address of the server
    {"keepalives_idle", "10"},      // seconds of silence before the first probe
    {"keepalives_interval", "5"},   // seconds between probes
    {"keepalives_count", "3"},      // unanswered probes that end the connection
    {"tcp_user_timeout", "25000"},  // ms that sent data may stay unacknowledged
    {"client_encoding", "UTF8"},
}};

bool is_uri(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

std::string percent_encoded(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return out;
}

std::string quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

}  // namespace

// libpq takes the last of several values for one setting: the defaults stand in front of the caller's.
std::string with_defaults(std::string_view uri, std::string_view application_name) {
  std::string out;
  if (!is_uri(uri)) {
    for (const auto& [key, value] : kDefaults) out.append(key).append("=").append(value).append(" ");
    return out.append("fallback_application_name=").append(quoted(application_name)).append(" ").append(uri);
  }
  const auto question = uri.find('?');
  out.append(uri.substr(0, question)).append("?");
  for (const auto& [key, value] : kDefaults) out.append(key).append("=").append(value).append("&");
  out.append("fallback_application_name=").append(percent_encoded(application_name));
  if (question != std::string_view::npos && question + 1 < uri.size()) out.append("&").append(uri.substr(question + 1));
  return out;
}

}  // namespace chat
