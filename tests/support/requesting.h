// Requests from a test's point of view.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/chat_client.h"

namespace chat::test {

// Publishes `fields` with an id made here on chat/rpc/{operation} and waits for the answer, whatever it says.
nlohmann::json request(ChatClient& client, const std::string& operation,
                       nlohmann::json fields = nlohmann::json::object());

}  // namespace chat::test
