// The bridge's topics: which operation a request is for, and where its answer goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chat {

inline constexpr std::size_t kTopicBytesMax = 65535;  // what MQTT can carry
inline constexpr std::size_t kTopicSlashesMax = 128;  // Mosquitto drops the connection of whoever publishes beyond 200

// True for a topic that the broker takes from a publisher: no wildcard, no control character, UTF-8, within the bounds
// above. A publish to any other would cost the bridge its connection, and with it everybody's answers.
bool publishable(std::string_view topic);

// A prefix such as "chat" or "acme/chat": publishable, of no more than 200 bytes, with no empty level and no leading
// "$".
bool valid_prefix(std::string_view prefix);

std::string request_filter(std::string_view prefix);                      // {prefix}/rpc/#
std::string error_topic(std::string_view prefix, std::string_view user);  // {prefix}/u/{user}/error

// The part behind {prefix}/rpc/; nullopt for another topic.
std::optional<std::string_view> operation_of(std::string_view prefix, std::string_view topic);

// Where an answer goes. `refusal` is empty, or a sentence that says why the place that was asked for can't be used:
// then `topic` is the user's error topic, the request is not carried out, and nothing goes to the reply topic.
struct ReplyPlace {
  std::string topic;
  std::string refusal;
};

// The Response Topic of an MQTT 5 client, which must lie under {prefix}/u/{user}/; without one
// {prefix}/u/{user}/reply/{device}.
ReplyPlace reply_place(std::string_view prefix, std::string_view user, std::string_view device,
                       const std::optional<std::string>& response_topic);

}  // namespace chat
