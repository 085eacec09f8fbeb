// What of a message is searchable.
#pragma once

#include <string>
#include <string_view>

namespace chat {

// The text that a message's payload holds for people to read: the body of type text where it is a string, and of any
// type the strings text, caption and name in a body that is an object. Empty: none (so too for a tombstone).
std::string search_text(std::string_view payload);

}  // namespace chat
