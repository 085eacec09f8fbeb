// What becomes of a message after it was sent: the events that tell of it, and what they make of the message's own
// bytes.
//
// The bridge writes both into the store in one transaction. The plugin, which still holds the old bytes for devices
// that are behind, makes the new ones from the event by the same functions: so every device gets the same bytes,
// whichever of the two it was served from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

struct MessageEvent {
  enum class Kind { kRecalled, kEdited, kReaction };
  Kind kind = Kind::kRecalled;
  std::string_view conv{};
  Rev rev = 0;
  TimeMs server_time = 0;
  Seq seq = 0;
  std::string_view by{};     // who did it; called "user" with kReaction
  std::string_view emoji{};  // with kReaction
  bool on = true;            // with kReaction
  std::string_view body{};   // with kEdited: a JSON value as it is written
};

// {"conv":…,"rev":…,"server_time":…,"kind":"message.recalled","seq":…,"by":…}. Bytes that are not UTF-8 come out as
// U+FFFD, but for `body`, which stays as it is.
std::string message_event_payload(const MessageEvent& event);

// What a message's bytes become.
struct Rewriting {
  Seq seq = 0;
  bool recalled = false;  // else: edited
  std::string by{};
  TimeMs at = 0;
  std::string body{};  // where it was edited: a JSON value as it is written
};

// nullopt: the event changes no message's bytes.
std::optional<Rewriting> rewriting_of(std::string_view event_payload);

// {"recalled":true,"by":…,"at":…}: the payload of a recalled message. `by` is a valid user name.
std::string tombstone(std::string_view by, TimeMs at);

// The payload that stands in the place of an expired message's own.
inline constexpr std::string_view kExpiredPayload = R"({"expired":true})";

// The object with another "body", and "edited" with the time; all else byte by byte as it was. It may be a payload as
// it is stored or as it is delivered. nullopt: it has no body (a tombstone, an expired message).
std::optional<std::string> edited_object(std::string_view object, std::string_view body, TimeMs at);

}  // namespace chat
