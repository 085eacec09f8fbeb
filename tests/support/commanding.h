// Recalls, edits and reactions from a test's point of view: what is published, and what has to come of it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/chat_client.h"
#include "tests/support/database.h"

namespace chat::test {

// Publishes {"id", "seq"} and `fields` on chat/c/{conv}/{operation}; answers the id. Throws where the broker refuses.
std::string give_command(ChatClient& client, const std::string& conv, const std::string& operation, std::int64_t seq,
                         nlohmann::json fields = nlohmann::json::object());

// The event of that kind about that message on the client's event topic, waited for.
Message event_about(ChatClient& client, const std::string& kind, const std::string& conv, std::int64_t seq);

// All events of the conversation that came, in order of arrival.
std::vector<Message> events_of(const ChatClient& client, const std::string& conv);

// How many commands PostgreSQL holds that the bridge has not applied.
std::int64_t commands_waiting(Database& database);

// The payload of a message as PostgreSQL holds it; empty where there is none.
std::string stored_payload(Database& database, const std::string& conv, std::int64_t seq);

// How many events of that kind about that message PostgreSQL holds.
std::int64_t stored_events(Database& database, const std::string& kind, const std::string& conv, std::int64_t seq);

}  // namespace chat::test
