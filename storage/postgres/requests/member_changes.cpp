// Who is in a group, and as what.
#include <set>
#include <utility>
#include <vector>

#include "storage/names.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/group_change.h"
#include "storage/postgres/requests/changes.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

// The role of the one who asks, who must be in it and more than a plain member.
Role leading_role(GroupChange& group, const std::string& conv, const std::string& user, const char* what) {
  const auto role = group.role_of(user);
  if (!role) throw not_a_member(conv, user);
  if (*role == Role::kMember) throw role_too_low(conv, user, *role, what);
  return *role;
}

// Whoever else puts one of them into a group waits here. In one order, so that two who wait for each other's users
// don't.
constexpr Statement kLockUsers{"lock_users",
                               "SELECT 1 FROM users WHERE name = ANY ($1::text[]) ORDER BY name FOR NO KEY UPDATE"};

// Nobody's groups are counted further than to the bound.
constexpr Statement kInTooMany{
    "in_too_many_groups",
    "SELECT u.name COLLATE \"C\" FROM unnest($1::text[]) AS u (name) WHERE (SELECT count(*) FROM ("
    "SELECT 1 FROM members m JOIN conversations c ON c.id = m.conv_id AND c.kind = 1 "
    "WHERE m.user_name = u.name LIMIT $2::bigint + 1) AS few) > $2::bigint ORDER BY 1 LIMIT 1"};

}  // namespace

void PostgresChanges::must_not_be_in_more_groups(std::span<const std::string> users, int most) {
  ArrayText names;
  for (const auto& user : users) names.add(user);
  session_.exec(transaction_, kLockUsers, names.text());
  const auto full = session_.exec(transaction_, kInTooMany, names.text(), most);
  if (!full.empty()) throw in_too_many_groups(text(full[0][0]), most);
}

AddedMembers PostgresChanges::add_members(const std::string& conv, std::span<const std::string> users,
                                          const GroupBounds& bounds) {
  const auto seat = read_seat(session_, transaction_, conv, user_);
  if (seat.kind == ConversationKind::kGroup) {
    GroupChange group(session_, transaction_, conv, user_, now_);
    leading_role(group, conv, user_, "may add members");
    must_be_allowed_to_add(group.id(), users);
    auto added = group.add(users, Role::kMember);
    const auto members = group.members();
    if (!added.empty() && members > bounds.members) {
      throw too_many_members(static_cast<std::size_t>(members), bounds.members);
    }
    must_not_be_in_more_groups(added, bounds.groups);
    group.finish();
    return {conv, std::move(added)};
  }
  const auto pair = direct_users(conv).value();
  std::set<std::string> further(users.begin(), users.end());
  further.erase(std::string(pair.first));
  further.erase(std::string(pair.second));
  if (further.empty()) return {conv, {}};
  if (further.size() + 2 > static_cast<std::size_t>(bounds.members)) {
    throw too_many_members(further.size() + 2, bounds.members);
  }
  const std::vector<std::string> added(further.begin(), further.end());
  NewGroup group;
  group.members = added;
  group.members.emplace_back(pair.first);
  group.members.emplace_back(pair.second);
  must_be_allowed_to_add(ConvId{0}, group.members);
  auto name = make_group(session_, transaction_, group, user_, now_);
  must_not_be_in_more_groups(group.members, bounds.groups);
  return {std::move(name), added};
}

void PostgresChanges::remove_members(const std::string& conv, std::span<const std::string> users) {
  read_seat(session_, transaction_, conv, user_);
  GroupChange group(session_, transaction_, conv, user_, now_);
  const auto mine = leading_role(group, conv, user_, "may remove members");
  for (const auto& user : std::set<std::string>(users.begin(), users.end())) {
    const auto role = group.role_of(user);
    if (!role) throw not_in_conversation(conv, user);
    if (user == user_) {
      throw StoreRefused("not_allowed", "\"" + user + "\" can't remove itself: that is conversation.leave");
    }
    if (mine != Role::kOwner && *role != Role::kMember) {
      throw role_too_low(conv, user_, mine, "may remove \"" + user + "\", who is its equal or more");
    }
    group.remove(user);
  }
  group.finish();
}

void PostgresChanges::set_role(const std::string& conv, const std::string& user, Role role) {
  read_seat(session_, transaction_, conv, user_);
  GroupChange group(session_, transaction_, conv, user_, now_);
  const auto mine = group.role_of(user_);
  if (!mine) throw not_a_member(conv, user_);
  if (*mine != Role::kOwner) throw role_too_low(conv, user_, *mine, "may give roles");
  const auto present = group.role_of(user);
  if (!present) throw not_in_conversation(conv, user);
  if (*present == role) return;
  if (user == user_) {
    throw StoreRefused("not_allowed", "\"" + user + "\" owns \"" + conv + "\": it can be given to somebody else only");
  }
  group.set_role(user, role);
  if (role == Role::kOwner) group.set_role(user_, Role::kAdmin);
  group.finish();
}

}  // namespace chat
