// A message that was sent once and is sent again by somebody who may see it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

// Where a forwarded message was read, and whose it is there. Only the server says so: a client that sends the field
// "forwarded" itself is refused.
struct ForwardedFrom {
  std::string conv;
  Seq seq = 0;
  std::string from;
};

// What is sent in the place of `payload`: {"id":…,"forwarded":{"conv","seq","from"}, …} and behind it the fields of
// `payload` as they are written, but for those that belong to its old place: id, reply_to, mentions, edited, and an
// earlier forwarded. nullopt: `payload` has no body (it is a tombstone).
std::optional<std::string> forwarded_payload(std::string_view payload, std::string_view id, const ForwardedFrom& from);

// Whether a message's payload says that it was forwarded.
bool is_forwarded(std::string_view payload);

}  // namespace chat
