#include "plugin/core/conversation_cache.h"

#include <algorithm>
#include <cstring>

#include "plugin/core/place.h"

namespace chat {

const std::shared_ptr<Conversation>& ConversationCache::look_up(std::string_view name) {
  static const std::shared_ptr<Conversation> kNone;
  auto& latest = latest_[latest_place(name)];
  if (latest != nullptr && (*latest)->name == name) return *latest;
  const auto found = index_.find(name);
  if (found == index_.end()) return kNone;
  latest = &found->second;
  return *latest;
}

// By the end of the name, in which names differ.
std::size_t ConversationCache::latest_place(std::string_view name) {
  std::uint64_t end = 0;
  const auto bytes = std::min(name.size(), sizeof end);
  if (bytes > 0) std::memcpy(&end, name.data() + name.size() - bytes, bytes);
  return place_of<kLatest>(end);
}

const std::shared_ptr<Conversation>& ConversationCache::find(std::string_view name) {
  const auto& conversation = look_up(name);
  if (conversation) order_.splice(order_.begin(), order_, conversation->place);
  return conversation;
}

Conversation* ConversationCache::peek(std::string_view name) {
  return look_up(name).get();
}

std::shared_ptr<Conversation> ConversationCache::insert(const ConversationState& state, Directory& directory) {
  auto conversation = find(state.name);
  if (!conversation) {
    conversation = std::make_shared<Conversation>();
    conversation->name = state.name;
    order_.push_front(conversation);
    conversation->place = order_.begin();
    index_.emplace(conversation->name, conversation);
  }
  conversation->id = state.id;
  conversation->kind = state.kind;
  conversation->announcement = state.announcement;
  if (state.last_seq > conversation->last_seq) conversation->tail.clear();  // it has to end at last_seq
  conversation->last_seq = std::max(conversation->last_seq, state.last_seq);
  conversation->committed_seq = std::max(conversation->committed_seq, state.last_seq);
  conversation->last_time = std::max(conversation->last_time, state.last_time);
  conversation->last_rev = std::max(conversation->last_rev, state.last_rev);
  conversation->standing = state.standing;
  conversation->members.clear();
  conversation->members.reserve(state.members.size());
  for (const auto& member : state.members) {
    conversation->members.push_back({.user = directory.user(member.user),
                                     .role = member.role,
                                     .join_seq = member.join_seq,
                                     .join_rev = member.join_rev});
  }
  charge(*conversation);
  shrink(*conversation);
  return conversation;
}

void ConversationCache::erase(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  bytes_ -= found->second->charged;
  order_.erase(found->second->place);
  auto& latest = latest_[latest_place(name)];
  if (latest == &found->second) latest = nullptr;
  index_.erase(found);
}

std::vector<std::string> ConversationCache::names() const {
  std::vector<std::string> names;
  names.reserve(index_.size());
  for (const auto& [name, conversation] : index_) names.push_back(name);
  return names;
}

void ConversationCache::charge(Conversation& conversation) {
  bytes_ -= conversation.charged;
  conversation.charged = kBytesPerConversation + conversation.members.size() * kBytesPerMember;
  bytes_ += conversation.charged;
}

void ConversationCache::shrink(const Conversation& keep) {
  for (auto oldest = order_.end(); bytes_ > bytes_max_ && oldest != order_.begin();) {
    const auto& candidate = **--oldest;
    if (candidate.pins > 0 || &candidate == &keep) continue;
    const auto name = candidate.name;  // a copy: it goes with its conversation
    ++oldest;
    erase(name);
  }
}

}  // namespace chat
