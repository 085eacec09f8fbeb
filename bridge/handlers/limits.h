// What a request may hold and ask for. topics.md lists them.
#pragma once

#include <cstddef>

namespace chat {

inline constexpr std::size_t kAvatarMax = 1024;         // bytes: a URL
inline constexpr std::size_t kDisplayNameMax = 255;     // bytes
inline constexpr std::size_t kAboutMax = 1024;          // bytes
inline constexpr std::size_t kDraftMax = 16'384;        // bytes
inline constexpr std::size_t kSearchedMax = 1024;       // bytes of words to look for
inline constexpr std::size_t kUsersMax = 1000;          // named by one change of members
inline constexpr std::size_t kProfilesMax = 100;        // asked for at once
inline constexpr std::size_t kPresencesMax = 100;       // asked for at once
inline constexpr std::size_t kDeletedAtOnceMax = 500;   // messages named by one message.delete
inline constexpr std::size_t kForwardedAtOnceMax = 50;  // conversations and users that one message goes to

inline constexpr int kPageUsual = 50;
inline constexpr int kPageMost = 500;     // rows of a list
inline constexpr int kHistoryMost = 200;  // messages of a page of history or search
inline constexpr int kSyncMost = 500;     // messages, and events, of one answer to sync
inline constexpr std::size_t kSyncConversationsMax = 500;
inline constexpr std::size_t kSyncRangesMax = 500;  // over all conversations
inline constexpr std::size_t kAnswerBytes = 512u
                                            << 10;  // of messages in one answer; the one that reaches it is the last
inline constexpr std::size_t kPreviewMax = 1024;    // bytes of a last message's body in a list

}  // namespace chat
