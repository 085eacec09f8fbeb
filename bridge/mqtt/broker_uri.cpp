#include "bridge/mqtt/broker_uri.h"

#include <charconv>
#include <stdexcept>

namespace chat {
namespace {

constexpr std::string_view kScheme = "mqtt://";
constexpr int kPortMax = 65535;

bool is_port(std::string_view text, int* port) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *port);
  return error == std::errc() && stop == end && *port >= 1 && *port <= kPortMax;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']') && host.size() > 2;
  return !host.empty() && host.find(':') == std::string_view::npos;
}

}  // namespace

BrokerUri parse_broker_uri(std::string_view uri) {
  std::string_view rest = uri;
  BrokerUri parsed;
  bool good = rest.starts_with(kScheme);
  if (good) {
    rest.remove_prefix(kScheme.size());
    const auto colon = rest.rfind(':');
    if (colon != std::string_view::npos && !rest.ends_with(']')) {
      good = is_port(rest.substr(colon + 1), &parsed.port);
      rest = rest.substr(0, colon);
    }
    good = good && is_host(rest) && rest.find_first_of("/@? ") == std::string_view::npos;
  }
  if (!good) {
    throw std::invalid_argument("'" + std::string(uri) +
                                "' is no broker address; it must look like mqtt://host or mqtt://host:1883");
  }
  parsed.host = rest;
  return parsed;
}

std::string paho_uri(const BrokerUri& uri) {
  return "tcp://" + uri.host + ":" + std::to_string(uri.port);
}

}  // namespace chat
