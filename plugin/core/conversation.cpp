#include "plugin/core/conversation.h"

#include <algorithm>

#include "storage/stamped.h"

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

// Nearly always it is the newest one, and then its stamp need not be read: it is in the bytes that are compared.
Seq Conversation::seq_of(std::string_view bytes) const {
  const auto stands_there = [&](Seq seq) {
    const auto* held = in_tail(seq);
    return held != nullptr && **held == bytes;
  };
  if (stands_there(last_seq)) return last_seq;
  std::string_view conv;
  Seq seq = 0;
  return read_stamp(bytes, &conv, &seq) && conv == name && stands_there(seq) ? seq : 0;
}

TimeMs Conversation::expires_at(Seq seq) const {
  if (expiring.empty()) return 0;
  const auto found = expiring.find(seq);
  return found == expiring.end() ? 0 : found->second;
}

}  // namespace chat
