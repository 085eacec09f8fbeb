#include "bridge/mqtt/paho_results.h"

#include <cstdint>
#include <limits>

namespace chat {
namespace {

constexpr int kRefused = 0x80;  // reason codes from here on say no

}  // namespace

// For a refused CONNECT, Paho's C library before 1.3.15 tells the reason as the return code.
int refusal_of(const mqtt::token& token) {
  if (token.get_reason_code() >= kRefused) return token.get_reason_code();
  return token.get_return_code() >= kRefused ? token.get_return_code() : 0;
}

std::string reason_text(int reason) {
  return mqtt::exception::reason_code_str(reason) + " (" + std::to_string(reason) + ")";
}

std::string failure_text(const mqtt::token& token) {
  if (const int reason = refusal_of(token)) return reason_text(reason);
  const std::string text = mqtt::exception::error_str(token.get_return_code());
  return text.empty() ? "error " + std::to_string(token.get_return_code()) : text;
}

std::optional<std::string> property_of(const mqtt::message& message, mqtt::property::code code) {
  const auto& properties = message.get_properties();
  if (!properties.contains(code)) return std::nullopt;
  return mqtt::get<std::string>(properties, code);
}

std::size_t window_of(const mqtt::token& connected) {
  const auto response = connected.get_connect_response();
  const auto& properties = response.get_properties();
  // MQTT 5: a broker that does not say takes as many as there are packet ids.
  if (!properties.contains(mqtt::property::RECEIVE_MAXIMUM)) return std::numeric_limits<std::uint16_t>::max();
  return mqtt::get<std::uint16_t>(properties, mqtt::property::RECEIVE_MAXIMUM);
}

}  // namespace chat
