// The rows of answers, as topics.md shows them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "storage/request_values.h"

namespace chat {

nlohmann::ordered_json json_of(const ConversationView& view);
nlohmann::ordered_json json_of(const DeviceRow& device);

// A message as a list shows it: {"seq","server_time","from","type"} and its "body", which is left out where it is
// longer than kPreviewMax (a text is cut instead); {"recalled":true} or {"expired":true} in the place of a body that is
// gone.
nlohmann::ordered_json preview_of(const StoredMessage& message);

// "messages":[…], for Reply::raw: each message in the very bytes in which it is delivered.
std::string messages_member(std::span<const StoredMessage> messages);
// "events":[…], likewise.
std::string events_member(std::span<const StoredEvent> events);

}  // namespace chat
