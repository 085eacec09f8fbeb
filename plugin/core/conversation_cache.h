// The conversations in memory, the least recently used of them forgotten beyond a bound of bytes. Forgetting is always
// safe: a conversation is loaded again behind a barrier (ports.h), so nothing that was journaled is missed. Thread: the
// broker's only.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string_view>

#include "plugin/core/conversation.h"
#include "plugin/core/string_map.h"

namespace chat {

class ConversationCache {
 public:
  // What an entry costs, the containers' own included: a conversation, and each of its members. Tails are bounded apart
  // (Tail).
  static constexpr std::size_t kBytesPerConversation = sizeof(Conversation) + 160;
  static constexpr std::size_t kBytesPerMember = sizeof(MemberEntry);

  explicit ConversationCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Null: not in memory. Counts as a use. What it refers to stays until that name is erased or forgotten.
  const std::shared_ptr<Conversation>& find(std::string_view name);
  // Null: not in memory. Does not count as a use.
  Conversation* peek(std::string_view name);

  // Puts what the store answered into memory, in place of an older entry of that name (whose counters are kept where
  // they are ahead). May forget others, never the one it answers.
  std::shared_ptr<Conversation> insert(const ConversationState& state, Directory& directory);
  void erase(std::string_view name);

  std::size_t size() const { return index_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::vector<std::string> names() const;

 private:
  const std::shared_ptr<Conversation>& look_up(std::string_view name);
  void charge(Conversation& conversation);
  void shrink(const Conversation& keep);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<std::shared_ptr<Conversation>> order_;  // the latest used first
  StringMap<std::shared_ptr<Conversation>> index_;
  // In index_, some that were looked up lately: who writes somewhere has written there before, and of one publish the
  // broker asks again for each receiver.
  static constexpr std::size_t kLatest = 256;
  static std::size_t latest_place(std::string_view name);
  std::array<const std::shared_ptr<Conversation>*, kLatest> latest_{};
};

}  // namespace chat
