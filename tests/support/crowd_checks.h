// Answers to requests, compared with the naive model.
#pragma once

#include <string>
#include <vector>

#include "tests/support/chat_client.h"
#include "tests/support/crowd_model.h"

namespace chat::test {

// How the history of a conversation that the device is answered differs from the model, as sentences.
std::vector<std::string> history_wrong(const CrowdModel& model, ChatClient& device, const std::string& conv);

}  // namespace chat::test
