// The admin's side of the twin.
#include <algorithm>
#include <set>

#include "storage/member_event.h"
#include "storage/memory/clock.h"
#include "storage/memory/memory_store.h"
#include "storage/names.h"
#include "storage/refusals.h"
#include "storage/uuid.h"

namespace chat {
namespace {

// Nobody has to be kept from guessing a twin's names, and a test that is replayed from its seed has to meet the same.
std::string counted_group_name(std::size_t number) {
  auto digits = std::to_string(number);
  return "g:" + std::string(16 - digits.size(), '0') + digits;
}

}  // namespace
namespace {

auto place_of(std::vector<Member>& members, std::string_view user) {
  return std::lower_bound(members.begin(), members.end(), user,
                          [](const Member& member, std::string_view name) { return member.user < name; });
}

}  // namespace

void MemoryStore::must_exist(std::string_view user) const {
  if (!users_.contains(user)) throw no_such_user(user);
}

MemoryStore::Conversation& MemoryStore::group_to_change(std::string_view name) {
  auto* conversation = find(name);
  if (conversation == nullptr) throw no_such_conversation(name);
  if (conversation->state.kind == ConversationKind::kDirect) throw direct_is_fixed(name);
  return *conversation;
}

void MemoryStore::add_event(Conversation& conversation, TimeMs now, std::string payload) {
  auto& state = conversation.state;
  state.changed_at = now;
  conversation.events.push_back({state.id, state.name, ++state.last_rev, now, std::move(payload)});
}

void MemoryStore::rewrite(std::string_view conv, const Rewriting& rewriting) {
  const Lock lock = enter();
  auto& conversation = *find(conv);
  auto& message = conversation.messages.at(rewriting.seq);
  if (rewriting.recalled) {
    message.payload = tombstone(rewriting.by, rewriting.at);
    message.mentions.clear();
    message.ttl_s = 0;
  } else if (auto edited = edited_object(message.payload, rewriting.body, rewriting.at)) {
    message.payload = *std::move(edited);
  }
  conversation.rewritten.insert(rewriting.seq);
  add_event(
      conversation, rewriting.at,
      message_event_payload({.kind = rewriting.recalled ? MessageEvent::Kind::kRecalled : MessageEvent::Kind::kEdited,
                             .conv = conversation.state.name,
                             .rev = conversation.state.last_rev + 1,
                             .server_time = rewriting.at,
                             .seq = rewriting.seq,
                             .by = rewriting.by,
                             .body = rewriting.body}));
  tell({Change::Kind::kEvents, conversation.state.name, ""});
}

void MemoryStore::set_contact(std::string_view user, std::string_view other, std::optional<ContactState> state) {
  const Lock lock = enter();
  must_exist(user);
  must_exist(other);
  const std::pair key{std::string(user), std::string(other)};
  const auto row = contacts_.find(key);
  const auto before = row == contacts_.end() ? std::nullopt : std::optional(row->second);
  if (before == state) return;
  if (state) {
    contacts_[key] = *state;
  } else {
    contacts_.erase(row);
  }
  tell({Change::Kind::kContacts, direct_name(user, other), ""});
}

void MemoryStore::add_user(std::string_view name) {
  const Lock lock = enter();
  if (!valid_user_name(name)) throw bad_user_name(name);
  if (!users_.emplace(name, clock_now()).second) throw user_exists(name);
}

std::vector<UserRow> MemoryStore::list_users(std::string_view after, int limit) {
  const Lock lock = enter();
  std::vector<UserRow> rows;
  for (auto it = users_.upper_bound(after); it != users_.end() && static_cast<int>(rows.size()) < limit; ++it) {
    UserRow row{it->first, it->second, 0};
    for (const auto& [id, conversation] : conversations_) {
      row.conversations += std::count_if(conversation.state.members.begin(), conversation.state.members.end(),
                                         [&](const Member& member) { return member.user == row.name; });
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string MemoryStore::create_group(std::string_view title, std::string_view owner,
                                      std::span<const std::string> members, TimeMs now) {
  const Lock lock = enter();
  if (title.size() > kTitleMax) throw title_too_long(title);
  must_exist(owner);
  std::set<std::string, std::less<>> names{std::string(owner)};
  for (const auto& member : members) {
    must_exist(member);
    names.insert(member);
  }
  const auto id = static_cast<ConvId>(conversations_.size()) + 1;
  auto& conversation = conversations_[id];
  auto& state = conversation.state;
  state.id = id;
  state.name = counted_group_name(conversations_.size());
  state.title = title;
  for (const auto& name : names) {
    state.members.push_back({.user = name, .role = name == owner ? Role::kOwner : Role::kMember});
  }
  add_event(conversation, now,
            member_event_payload({.kind = MemberEvent::Kind::kCreated,
                                  .conv = state.name,
                                  .rev = 1,
                                  .server_time = now,
                                  .by = owner,
                                  .title = title,
                                  .members = static_cast<std::int64_t>(names.size())}));
  tell({Change::Kind::kConversation, state.name, ""});
  return state.name;
}

std::optional<ConversationState> MemoryStore::find_conversation(std::string_view name) {
  const Lock lock = enter();
  const auto* conversation = find(name);
  if (conversation == nullptr) return std::nullopt;
  auto state = conversation->state;
  if (const auto users = direct_users(name)) state.standing = standing(users->first, users->second);
  return state;
}

std::vector<ConversationRow> MemoryStore::list_conversations(std::string_view after, int limit) {
  const Lock lock = enter();
  std::map<std::string_view, const ConversationState*> by_name;
  for (const auto& [id, conversation] : conversations_) by_name.emplace(conversation.state.name, &conversation.state);
  std::vector<ConversationRow> rows;
  for (auto it = by_name.upper_bound(after); it != by_name.end() && static_cast<int>(rows.size()) < limit; ++it) {
    const auto& state = *it->second;
    rows.push_back({state.name, state.kind, state.title, static_cast<std::int64_t>(state.members.size()),
                    state.last_seq, state.last_time});
  }
  return rows;
}

void MemoryStore::add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs now) {
  const Lock lock = enter();
  auto& conversation = group_to_change(conv);
  must_exist(user);
  auto& state = conversation.state;
  MemberEvent event{.conv = conv, .rev = state.last_rev + 1, .server_time = now, .user = user, .role = role, .by = by};
  const auto member = place_of(state.members, user);
  if (member == state.members.end() || member->user != user) {
    event.kind = MemberEvent::Kind::kAdded;
    state.members.insert(
        member, {.user = std::string(user), .role = role, .join_seq = state.last_seq + 1, .join_rev = event.rev});
  } else {
    if (member->role == role) return;
    event.kind = MemberEvent::Kind::kRole;
    member->role = role;
  }
  add_event(conversation, now, member_event_payload(event));
  tell({Change::Kind::kConversation, state.name, ""});
}

void MemoryStore::remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs now) {
  const Lock lock = enter();
  auto& conversation = group_to_change(conv);
  auto& state = conversation.state;
  const auto member = place_of(state.members, user);
  if (member == state.members.end() || member->user != user) throw not_in_conversation(conv, user);
  state.members.erase(member);
  add_event(conversation, now,
            member_event_payload({.kind = MemberEvent::Kind::kRemoved,
                                  .conv = conv,
                                  .rev = state.last_rev + 1,
                                  .server_time = now,
                                  .user = user,
                                  .by = by}));
  tell({Change::Kind::kConversation, state.name, ""});
}

std::vector<DeviceRow> MemoryStore::devices(std::string_view user, std::string_view device) {
  const Lock lock = enter();
  std::vector<DeviceRow> rows;
  for (const auto& [key, row] : devices_) {
    if (row.user == user && (device.empty() || row.device == device)) rows.push_back(row);
  }
  return rows;
}

DeviceRow MemoryStore::set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) {
  const Lock lock = enter();
  check_device_settings(device, settings);
  must_exist(user);
  auto& row = devices_.try_emplace({std::string(user), std::string(device)}).first->second;
  row.user = user;
  row.device = device;
  const auto before = row.settings;
  if (settings.replay) row.settings.replay = settings.replay;
  if (settings.replay_limit) row.settings.replay_limit = settings.replay_limit;
  if (settings.ack) row.settings.ack = settings.ack;
  if (row.settings != before) tell({Change::Kind::kDevice, row.user, row.device});
  return row;
}

StoreStatus MemoryStore::status() {
  const Lock lock = enter();
  StoreStatus status;
  status.users = static_cast<std::int64_t>(users_.size());
  status.conversations = static_cast<std::int64_t>(conversations_.size());
  for (const auto& [id, conversation] : conversations_) {
    status.messages += static_cast<std::int64_t>(conversation.messages.size());
  }
  status.commands_waiting = static_cast<std::int64_t>(commands_.size());
  for (const auto& [id, journal] : journals_) {
    status.journals.push_back({uuid_text(id), journal.position, journal.committed_at});
  }
  std::stable_sort(status.journals.begin(), status.journals.end(),
                   [](const auto& a, const auto& b) { return a.committed_at > b.committed_at; });
  return status;
}

}  // namespace chat
