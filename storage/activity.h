// Whose unread messages have to be counted again, and the words in which PostgreSQL's channel chat_activity says it
// (storage/migrations/0003_activity.sql): "17" is everybody in conversation 17, "17:bob" is bob there.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/types.h"

namespace chat {

// One member of one conversation.
struct MemberKey {
  ConvId conv_id = 0;
  std::string user;

  bool operator==(const MemberKey&) const = default;
  bool operator<(const MemberKey& other) const { return std::tie(conv_id, user) < std::tie(other.conv_id, other.user); }
};

struct Activity {
  bool everything = false;  // anything may have changed, also what is not named here
  std::vector<ConvId> conversations;
  std::vector<MemberKey> members;

  bool empty() const { return !everything && conversations.empty() && members.empty(); }
};

// PostgreSQL takes less than 8,000 bytes a notice; the longest word has 85.
inline constexpr std::size_t kNoticeBytesMax = 7000;

// Words, gathered into notices.
class ActivityNotices {
 public:
  void add(ConvId conv);
  void add(ConvId conv, std::string_view user);
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::string& text_with_room();
  std::vector<std::string> texts_;
};

// Adds what a notice says. A notice that can't be read (anybody may write on the channel) means everything.
void read_activity(std::string_view notice, Activity* activity);

}  // namespace chat
