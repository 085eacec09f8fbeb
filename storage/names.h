// The names of users and conversations: which are valid, and how a direct conversation's name is made of its users.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace chat {

inline constexpr std::size_t kUserNameMax = 64;           // bytes
inline constexpr std::size_t kConversationNameMax = 132;  // bytes: "dm:" + two users + ":"
inline constexpr std::size_t kDeviceNameMax = 256;  // bytes: it is part of a database key, which has room for 2,700
inline constexpr std::size_t kTitleMax = 255;       // bytes of a conversation's title
static_assert(kConversationNameMax == 3 + kUserNameMax + 1 + kUserNameMax);

// 1 to kUserNameMax bytes of A-Z a-z 0-9 . _ @ -
bool valid_user_name(std::string_view name);

// 1 to kDeviceNameMax bytes; which ones is the broker's business (it admits only well-formed UTF-8 as a client id).
bool valid_device_name(std::string_view name);

// "g:" and 1 to 64 bytes of A-Z a-z 0-9 _ -, or the canonical direct name of two different users.
bool valid_conversation_name(std::string_view name);

// "dm:<a>:<b>" with the users in byte order. Both must be valid and different.
std::string direct_name(std::string_view one, std::string_view other);

// A name for a new group: "g:" and 16 characters drawn from the operating system's randomness (80 bits), so that nobody
// meets an old name again or guesses one.
std::string new_group_name();

// The two users of a canonical direct name; nullopt for anything else.
std::optional<std::pair<std::string_view, std::string_view>> direct_users(std::string_view name);

}  // namespace chat
