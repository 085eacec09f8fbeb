#include "tests/support/crowd_model.h"

#include <algorithm>
#include <utility>

namespace chat::test {

void CrowdModel::join(const std::string& conv, const std::string& user, bool owner) {
  const std::scoped_lock lock(mutex_);
  auto& conversation = conversations_[conv];
  const auto last = conversation.messages.empty() ? 0 : conversation.messages.rbegin()->first;
  conversation.members[user] = {.join = last + 1, .owner = owner};
}

void CrowdModel::join_direct(const std::string& conv, const std::string& one, const std::string& other) {
  const std::scoped_lock lock(mutex_);
  auto& members = conversations_[conv].members;
  members.try_emplace(one);
  members.try_emplace(other);
}

void CrowdModel::leave(const std::string& conv, const std::string& user) {
  const std::scoped_lock lock(mutex_);
  conversations_[conv].members.erase(user);
}

void CrowdModel::said(const std::string& conv, std::int64_t seq, Said message) {
  const std::scoped_lock lock(mutex_);
  auto& conversation = conversations_[conv];
  auto& sender = conversation.members[message.sender];
  sender.last_own = std::max(sender.last_own, seq);
  conversation.messages.emplace(seq, std::move(message));
}

void CrowdModel::read(const std::string& conv, const std::string& user, std::int64_t seq) {
  const std::scoped_lock lock(mutex_);
  auto& member = conversations_[conv].members.at(user);
  member.read = std::max(member.read, seq);
}

void CrowdModel::recall(const std::string& conv, std::int64_t seq) {
  const std::scoped_lock lock(mutex_);
  conversations_[conv].messages.at(seq).recalled = true;
}

void CrowdModel::edit(const std::string& conv, std::int64_t seq, const std::string& body) {
  const std::scoped_lock lock(mutex_);
  auto& message = conversations_[conv].messages.at(seq);
  message.body = body;
  message.edited = true;
}

void CrowdModel::react(const std::string& conv, std::int64_t seq, const std::string& user, const std::string& emoji,
                       bool on) {
  const std::scoped_lock lock(mutex_);
  auto& emojis = conversations_[conv].messages.at(seq).reactions[user];
  if (on) {
    emojis.insert(emoji);
  } else {
    emojis.erase(emoji);
  }
}

void CrowdModel::hide(const std::string& conv, std::int64_t seq, const std::string& user) {
  const std::scoped_lock lock(mutex_);
  conversations_[conv].messages.at(seq).hidden_by.insert(user);
}

void CrowdModel::delete_to(const std::string& conv, const std::string& user, std::int64_t seq) {
  const std::scoped_lock lock(mutex_);
  auto& member = conversations_[conv].members.at(user);
  member.deleted_to = std::max(member.deleted_to, seq);
}

void CrowdModel::mute(const std::string& conv, const std::string& user, bool muted) {
  const std::scoped_lock lock(mutex_);
  conversations_[conv].members.at(user).muted = muted;
}

std::int64_t CrowdModel::last(const std::string& conv) const {
  const std::scoped_lock lock(mutex_);
  const auto found = conversations_.find(conv);
  if (found == conversations_.end() || found->second.messages.empty()) return 0;
  // Acknowledgements may come out of order: only what is complete is known to be there.
  std::int64_t last = 0;
  for (const auto& [seq, message] : found->second.messages) {
    if (seq != last + 1) break;
    last = seq;
  }
  return last;
}

bool CrowdModel::member(const std::string& conv, const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = conversations_.find(conv);
  return found != conversations_.end() && found->second.members.contains(user);
}

bool CrowdModel::owner(const std::string& conv, const std::string& user) const {
  return members(conv).at(user).owner;
}

std::vector<std::string> CrowdModel::conversations() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, conversation] : conversations_) all.push_back(name);
  return all;
}

std::vector<std::string> CrowdModel::conversations_of(const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, conversation] : conversations_) {
    if (conversation.members.contains(user)) all.push_back(name);
  }
  return all;
}

std::map<std::int64_t, CrowdModel::Said> CrowdModel::messages(const std::string& conv) const {
  const std::scoped_lock lock(mutex_);
  const auto found = conversations_.find(conv);
  return found == conversations_.end() ? std::map<std::int64_t, Said>() : found->second.messages;
}

std::map<std::int64_t, CrowdModel::Said> CrowdModel::visible(const std::string& conv, const std::string& user) const {
  auto all = messages(conv);
  const auto me = members(conv).at(user);
  std::erase_if(all, [&](const auto& entry) {
    return entry.first < me.join || entry.first <= me.deleted_to || entry.second.hidden_by.contains(user);
  });
  return all;
}

std::map<std::string, CrowdModel::Member> CrowdModel::members(const std::string& conv) const {
  const std::scoped_lock lock(mutex_);
  const auto found = conversations_.find(conv);
  return found == conversations_.end() ? std::map<std::string, Member>() : found->second.members;
}

CrowdModel::Count CrowdModel::count_in(const Conversation& conversation, const std::string& user) const {
  const auto& me = conversation.members.at(user);
  const auto floor = std::max({me.join - 1, me.deleted_to, me.read, me.last_own});
  Count count{.muted = me.muted};
  for (const auto& [seq, message] : conversation.messages) {
    if (seq <= floor || message.recalled || message.expires || message.hidden_by.contains(user)) continue;
    ++count.unread;
    if (message.mentions.contains(user)) ++count.mentions;
  }
  return count;
}

CrowdModel::Count CrowdModel::count(const std::string& conv, const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  return count_in(conversations_.at(conv), user);
}

std::int64_t CrowdModel::total(const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  std::int64_t total = 0;
  for (const auto& [name, conversation] : conversations_) {
    const auto me = conversation.members.find(user);
    if (me != conversation.members.end() && !me->second.muted) total += count_in(conversation, user).unread;
  }
  return total;
}

}  // namespace chat::test
