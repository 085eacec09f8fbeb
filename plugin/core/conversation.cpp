#include "plugin/core/conversation.h"

#include <algorithm>

namespace chat {

const MemberEntry* Conversation::member(std::string_view user) const {
  constexpr std::size_t kFew = 8;  // most conversations: a look at each is faster than a search
  if (members.size() <= kFew) {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const MemberEntry& entry) { return entry.user->name == user; });
    return found != members.end() ? &*found : nullptr;
  }
  const auto found =
      std::lower_bound(members.begin(), members.end(), user,
                       [](const MemberEntry& entry, std::string_view wanted) { return entry.user->name < wanted; });
  return found != members.end() && found->user->name == user ? &*found : nullptr;
}

const Bytes* Conversation::in_tail(Seq seq) const {
  const auto first = last_seq - static_cast<Seq>(tail.size()) + 1;
  if (seq < first || seq > last_seq) return nullptr;
  return &tail[static_cast<std::size_t>(seq - first)];
}

TimeMs Conversation::expires_at(Seq seq) const {
  if (expiring.empty()) return 0;
  const auto found = expiring.find(seq);
  return found == expiring.end() ? 0 : found->second;
}

}  // namespace chat
