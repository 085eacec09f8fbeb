// Conversations: made, changed, left.
#include <set>
#include <vector>

#include "storage/names.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/group_change.h"
#include "storage/postgres/reads.h"
#include "storage/postgres/requests/changes.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kUserIsThere{"other_is_there", "SELECT 1 FROM users WHERE name = $1"};

constexpr Statement kRequestDirect{"request_direct",
                                   "WITH made AS (INSERT INTO conversations (name, kind, created_at, changed_at) "
                                   "VALUES ($1, 0, $4, $4) ON CONFLICT (name) DO NOTHING RETURNING id) "
                                   "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) "
                                   "SELECT made.id, u.name, 1, 1, $4 FROM made, (VALUES ($2), ($3)) AS u (name)"};

// Whoever has served longest, an admin before a member; none where another owner stays.
constexpr Statement kSuccessor{
    "successor",
    "SELECT user_name, role FROM members WHERE conv_id = $1 ORDER BY role DESC, joined_at, user_name LIMIT 1"};

}  // namespace

std::string PostgresChanges::create_group(const NewGroup& group, const GroupBounds& bounds) {
  std::set<std::string> once(group.members.begin(), group.members.end());
  once.insert(user_);
  if (static_cast<int>(once.size()) > bounds.members) throw too_many_members(once.size(), bounds.members);
  must_be_allowed_to_add(ConvId{0}, group.members);
  auto name = make_group(session_, transaction_, group, user_, now_);
  must_not_be_in_more_groups(std::vector<std::string>(once.begin(), once.end()), bounds.groups);
  return name;
}

std::string PostgresChanges::create_direct(const std::string& other, bool contacts_only) {
  if (other == user_) {
    throw StoreRefused("bad_field", "the field user is \"" + other + "\", who asks: a conversation has two ends");
  }
  if (session_.exec(transaction_, kUserIsThere, other).empty()) throw no_such_user(other);
  const auto standing = read_standing(session_, transaction_, user_, other);
  if (standing.first_blocks) throw blocks_other(user_, other);
  if (standing.second_blocks) throw blocked_by(user_, other);
  if (contacts_only && !standing.contacts) {
    throw StoreRefused("not_allowed", "\"" + other + "\" is no contact of \"" + user_ + "\"");
  }
  auto name = direct_name(user_, other);
  session_.exec(transaction_, kRequestDirect, name, user_, other, now_);
  return name;
}

void PostgresChanges::update_conversation(const std::string& conv, const ConversationUpdate& update) {
  read_seat(session_, transaction_, conv, user_);  // a stranger is told that, whatever kind it is
  GroupChange group(session_, transaction_, conv, user_, now_);
  const auto role = group.role_of(user_);
  if (!role) throw not_a_member(conv, user_);
  if (*role == Role::kMember) throw role_too_low(conv, user_, *role, "may change it");
  group.update(update);
  group.finish();
}

void PostgresChanges::leave(const std::string& conv) {
  read_seat(session_, transaction_, conv, user_);
  GroupChange group(session_, transaction_, conv, user_, now_);
  const auto role = group.role_of(user_);
  if (!role || !group.remove(user_)) throw not_a_member(conv, user_);
  if (*role == Role::kOwner) {
    const auto rest = session_.exec(transaction_, kSuccessor, group.id());
    if (!rest.empty() && static_cast<Role>(number(rest[0][1])) != Role::kOwner) {
      group.set_role(text(rest[0][0]), Role::kOwner);
    }
  }
  group.finish();
}

}  // namespace chat
