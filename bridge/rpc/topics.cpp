#include "bridge/rpc/topics.h"

#include <simdjson.h>

#include <algorithm>

#include "bridge/rpc/quote.h"

namespace chat {
namespace {

constexpr std::size_t kPrefixMax = 200;  // bytes

bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    // U+0080 to U+009F, which Mosquitto refuses like the ones below U+0020
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::string of_user(std::string_view prefix, std::string_view user) {
  std::string topic(prefix);
  topic.append("/u/").append(user).append("/");
  return topic;
}

}  // namespace

bool publishable(std::string_view topic) {
  const auto slashes = static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/'));
  return !topic.empty() && topic.size() <= kTopicBytesMax && slashes <= kTopicSlashesMax &&
         topic.find_first_of("+#") == std::string_view::npos && !has_control_character(topic) &&
         simdjson::validate_utf8(topic.data(), topic.size());
}

bool valid_prefix(std::string_view prefix) {
  return publishable(prefix) && prefix.size() <= kPrefixMax && !prefix.starts_with('/') && !prefix.ends_with('/') &&
         !prefix.starts_with('$') && prefix.find("//") == std::string_view::npos;
}

std::string request_filter(std::string_view prefix) {
  return std::string(prefix) + "/rpc/#";
}

std::string error_topic(std::string_view prefix, std::string_view user) {
  return of_user(prefix, user) + "error";
}

std::optional<std::string_view> operation_of(std::string_view prefix, std::string_view topic) {
  constexpr std::string_view kRequests = "/rpc/";
  if (!topic.starts_with(prefix)) return std::nullopt;
  topic.remove_prefix(prefix.size());
  if (!topic.starts_with(kRequests)) return std::nullopt;
  return topic.substr(kRequests.size());
}

ReplyPlace reply_place(std::string_view prefix, std::string_view user, std::string_view device,
                       const std::optional<std::string>& response_topic) {
  const std::string own = of_user(prefix, user);
  if (!response_topic) {
    const std::string topic = own + "reply/" + std::string(device);
    if (!device.empty() && publishable(topic)) return {topic, {}};
    return {error_topic(prefix, user),
            "the client id " + in_quotes(device) +
                " can't be part of a topic, so there is nowhere to answer; choose another one "
                "or send an MQTT 5 Response Topic"};
  }
  if (response_topic->size() > own.size() && response_topic->starts_with(own) && publishable(*response_topic)) {
    return {*response_topic, {}};
  }
  return {error_topic(prefix, user), "the Response Topic is " + in_quotes(*response_topic) + ", and must lie under " +
                                         in_quotes(own) + " and hold no wildcard"};
}

}  // namespace chat
