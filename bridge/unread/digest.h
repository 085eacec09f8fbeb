// The payloads in which somebody is told of their unread messages.
#pragma once

#include <string>
#include <vector>

#include "bridge/rpc/message.h"
#include "bridge/unread/unread_board.h"

namespace chat {

inline constexpr std::size_t kDigestRowsMax = 500;

// {prefix}/u/{user}/unread, as many as it takes, and {prefix}/u/{user}/unread/total where that has changed. A whole
// digest says which page of how many each of them is, if it says that nothing is unread, too.
std::vector<Outgoing> unread_publishes(const std::string& prefix, const UnreadNews& news);

}  // namespace chat
