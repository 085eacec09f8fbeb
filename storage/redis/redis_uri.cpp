#include "storage/redis/redis_uri.h"

#include <charconv>
#include <optional>
#include <stdexcept>

namespace chat {
namespace {

constexpr std::string_view kTcp = "redis://";
constexpr std::string_view kUnix = "unix://";
constexpr std::string_view kDatabase = "?db=";
constexpr int kPortMax = 65535;
constexpr int kDatabaseMax = 65535;

std::optional<int> whole_number(std::string_view text, int low, int high, int base = 10) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end || number < low || number > high) return std::nullopt;
  return number;
}

bool percent_decoded(std::string_view text, std::string* out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    const auto byte = i + 2 < text.size() ? whole_number(text.substr(i + 1, 2), 0, 255, 16) : std::nullopt;
    if (!byte) return false;
    out->push_back(static_cast<char>(*byte));
    i += 2;
  }
  return true;
}

// "[user]:password"
bool read_login(std::string_view text, RedisUri* uri) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && percent_decoded(text.substr(0, colon), &uri->user) &&
         percent_decoded(text.substr(colon + 1), &uri->password) && !uri->password.empty();
}

bool read_database(std::string_view text, RedisUri* uri) {
  const auto number = whole_number(text, 0, kDatabaseMax);
  uri->database = number.value_or(0);
  return number.has_value();
}

// "/path" or "/path?db=1"
bool read_socket(std::string_view text, RedisUri* uri) {
  const auto question = text.find('?');
  uri->socket = text.substr(0, question);
  if (uri->socket.size() < 2 || uri->socket.front() != '/') return false;
  if (question == std::string_view::npos) return true;
  text.remove_prefix(question);
  return text.starts_with(kDatabase) && read_database(text.substr(kDatabase.size()), uri);
}

// "host", "host:1", "[::1]:1", each with or without "/1"
bool read_host(std::string_view text, RedisUri* uri) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    if (slash + 1 < text.size() && !read_database(text.substr(slash + 1), uri)) return false;
    text = text.substr(0, slash);
  }
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    const auto port = whole_number(text.substr(colon + 1), 1, kPortMax);
    if (!port) return false;
    uri->port = *port;
    text = text.substr(0, colon);
  }
  const bool brackets = text.starts_with('[') && text.ends_with(']');
  if (brackets) text = text.substr(1, text.size() - 2);
  uri->host = text;
  return !text.empty() && text.find_first_of("[]? ") == std::string_view::npos &&
         (brackets || text.find(':') == std::string_view::npos);
}

// What of a wrong address can be shown. Without an @ what stands behind a colon may be a password whose host was
// forgotten, unless it is as short as a port.
std::string shown_of(std::string_view uri) {
  if (const auto at = uri.rfind('@'); at != std::string_view::npos) return "..." + std::string(uri.substr(at));
  const auto slashes = uri.find("//");
  const auto colon = uri.find(':', slashes == std::string_view::npos ? 0 : slashes);
  if (colon == std::string_view::npos) return std::string(uri);
  const auto rest = uri.substr(colon + 1);
  const bool port = rest.size() <= 5 && rest.find_first_not_of("0123456789:") == std::string_view::npos;
  return port ? std::string(uri) : std::string(uri.substr(0, colon + 1)) + "...";
}

}  // namespace

RedisUri parse_redis_uri(std::string_view uri) {
  RedisUri parsed;
  const bool tcp = uri.starts_with(kTcp);
  bool good = tcp || uri.starts_with(kUnix);
  std::string_view rest = uri;
  if (good) {
    rest.remove_prefix(tcp ? kTcp.size() : kUnix.size());
    if (const auto end = rest.rfind('@'); end != std::string_view::npos) {
      good = read_login(rest.substr(0, end), &parsed);
      rest.remove_prefix(end + 1);
    }
    good = good && (tcp ? read_host(rest, &parsed) : read_socket(rest, &parsed));
  }
  if (!good) {
    throw std::invalid_argument(
        "'" + shown_of(uri) +
        "' is no address of a Redis; it must look like redis://host, redis://:password@host:6379/0 or unix:///path");
  }
  return parsed;
}

std::string without_password(const RedisUri& uri) {
  if (uri.host.empty()) return std::string(kUnix) + uri.socket;
  const bool brackets = uri.host.find(':') != std::string::npos;
  return std::string(kTcp) + (brackets ? "[" + uri.host + "]" : uri.host) + ":" + std::to_string(uri.port);
}

}  // namespace chat
