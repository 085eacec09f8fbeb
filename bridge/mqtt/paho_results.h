// What the MQTT library's results say, in values and words of ours.
#pragma once

#include <mqtt/async_client.h>

#include <cstddef>
#include <optional>
#include <string>

namespace chat {

// The reason code with which the broker refused; 0 where it did not, or where no word of its came at all.
int refusal_of(const mqtt::token& token);

std::string reason_text(int reason);  // such as: Not authorized (135)

// Why the token failed: the broker's reason, or the library's.
std::string failure_text(const mqtt::token& token);

// A text or binary property; nullopt where the message has none such.
std::optional<std::string> property_of(const mqtt::message& message, mqtt::property::code code);

// How many publishes the broker takes before it acknowledges one. `connected` is a successful connect's.
std::size_t window_of(const mqtt::token& connected);

}  // namespace chat
