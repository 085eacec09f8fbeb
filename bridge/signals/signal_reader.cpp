#include "bridge/signals/signal_reader.h"

#include <nlohmann/json.hpp>

#include "bridge/rpc/quote.h"

namespace chat {
namespace {

using nlohmann::json;

SessionSignal signal_of(const json& object) {
  return {.user = object.at("user").get<std::string>(),
          .device = object.at("device").get<std::string>(),
          .online = object.at("online").get<bool>(),
          .unread = object.at("unread").get<bool>(),
          .asked = object.at("asked").get<bool>()};
}

}  // namespace

std::string signal_topic(std::string_view prefix) {
  return std::string(prefix) + "/rpc/signal/sessions";
}

std::optional<SessionSignals> SignalReader::read(std::string_view payload, std::string* why) {
  SessionSignals signals;
  std::uint64_t number = 0;
  try {
    const auto object = json::parse(payload);
    number = object.at("n").get<std::uint64_t>();
    signals.reset = object.at("reset").get<bool>();
    for (const auto& session : object.at("sessions")) signals.sessions.push_back(signal_of(session));
  } catch (const json::exception&) {
    whole_ = false;
    *why = "a signal that can't be read came: " + in_quotes(payload);
    return std::nullopt;
  }
  if (!signals.reset && (!whole_ || number != last_ + 1)) {
    *why = "the broker's signal " + std::to_string(last_ + 1) + " is missing: " + std::to_string(number) + " came";
    whole_ = false;
    return std::nullopt;
  }
  whole_ = true;
  last_ = number;
  return signals;
}

}  // namespace chat
