#include "storage/postgres/group_change.h"

#include <set>
#include <utility>
#include <vector>

#include "storage/member_event.h"
#include "storage/names.h"
#include "storage/postgres/fields.h"
#include "storage/refusals.h"
#include "storage/update_event.h"

namespace chat {
namespace {

constexpr Statement kMissingUser{
    "missing_user",
    "SELECT u.name FROM unnest($1::text[]) WITH ORDINALITY AS u (name, n) "
    "WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.name = u.name) ORDER BY u.n LIMIT 1"};

constexpr Statement kMakeGroup{
    "make_group",
    "INSERT INTO conversations (name, kind, title, avatar, announcement, last_rev, created_at, changed_at) "
    "VALUES ($1, 1, $2, $3, $4, 1, $5, $5) ON CONFLICT (name) DO NOTHING RETURNING id"};

constexpr Statement kMakeMembers{"make_members",
                                 "INSERT INTO members (conv_id, user_name, role, join_seq, join_rev, joined_at) "
                                 "SELECT $1::bigint, u.name, CASE WHEN u.name = $3 THEN 2 ELSE 0 END, 1, 1, $4::bigint "
                                 "FROM unnest($2::text[]) AS u (name)"};

constexpr Statement kLockGroup{
    "lock_group", "SELECT id, kind, last_seq, last_rev FROM conversations WHERE name = $1 FOR NO KEY UPDATE"};

constexpr Statement kRole{"role", "SELECT role FROM members WHERE conv_id = $1 AND user_name = $2"};

constexpr Statement kMembers{"count_members", "SELECT count(*) FROM members WHERE conv_id = $1"};

constexpr Statement kStrangers{
    "strangers",
    "SELECT DISTINCT u.name COLLATE \"C\" FROM unnest($2::text[]) AS u (name) "
    "WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.conv_id = $1 AND m.user_name = u.name) ORDER BY 1"};

// The n-th of them sees the events from its own on: rev $5 + n.
constexpr Statement kAddMembers{"add_members",
                                "INSERT INTO members (conv_id, user_name, role, join_seq, join_rev, joined_at) "
                                "SELECT $1::bigint, u.name, $3::smallint, $4::bigint, $5::bigint + u.n, $6::bigint "
                                "FROM unnest($2::text[]) WITH ORDINALITY AS u (name, n)"};

constexpr Statement kSetRole{"set_role", "UPDATE members SET role = $3 WHERE conv_id = $1 AND user_name = $2"};

constexpr Statement kRemoveMember{"remove_member",
                                  "DELETE FROM members WHERE conv_id = $1 AND user_name = $2 RETURNING 1"};

constexpr Statement kLooks{"looks", "SELECT title, avatar, announcement FROM conversations WHERE id = $1"};

constexpr Statement kSetLooks{"set_looks",
                              "UPDATE conversations SET title = $2, avatar = $3, announcement = $4 WHERE id = $1"};

constexpr Statement kNextRev{"next_rev", "UPDATE conversations SET last_rev = $2, changed_at = $3 WHERE id = $1"};

constexpr Statement kAddEvents{"add_events",
                               "INSERT INTO events (conv_id, rev, server_time, payload) "
                               "SELECT $1::bigint, $2::bigint + e.n, $3::bigint, e.payload "
                               "FROM unnest($4::text[]) WITH ORDINALITY AS e (payload, n)"};

void users_must_exist(PostgresSession& session, pqxx::work& transaction, const ArrayText& names) {
  const auto missing = session.exec(transaction, kMissingUser, names.text());
  if (!missing.empty()) throw no_such_user(text(missing[0][0]));
}

template <typename Value>
void forget_if_same(std::optional<Value>* wanted, const Value& present) {
  if (*wanted == present) wanted->reset();
}

}  // namespace

GroupChange::GroupChange(PostgresSession& session, pqxx::work& transaction, std::string conv, std::string by,
                         TimeMs now)
    : session_(session), transaction_(transaction), conv_(std::move(conv)), by_(std::move(by)), now_(now) {
  const auto found = session_.exec(transaction_, kLockGroup, conv_);
  if (found.empty()) throw no_such_conversation(conv_);
  const auto row = found[0];
  if (static_cast<ConversationKind>(number(row[1])) == ConversationKind::kDirect) throw direct_is_fixed(conv_);
  id_ = number(row[0]);
  last_seq_ = number(row[2]);
  first_rev_ = last_rev_ = number(row[3]);
}

std::int64_t GroupChange::members() {
  return number(session_.exec(transaction_, kMembers, id_)[0][0]);
}

std::optional<Role> GroupChange::role_of(const std::string& user) {
  const auto found = session_.exec(transaction_, kRole, id_, user);
  if (found.empty()) return std::nullopt;
  return static_cast<Role>(number(found[0][0]));
}

std::vector<std::string> GroupChange::add(std::span<const std::string> users, Role role) {
  const auto asked = array_of(users);
  users_must_exist(session_, transaction_, asked);
  std::vector<std::string> added;
  for (const auto& row : session_.exec(transaction_, kStrangers, id_, asked.text())) added.push_back(text(row[0]));
  if (added.empty()) return added;
  session_.exec(transaction_, kAddMembers, id_, array_of(added).text(), static_cast<int>(role), last_seq_ + 1,
                last_rev_, now_);
  for (const auto& user : added) event({.kind = MemberEvent::Kind::kAdded, .user = user, .role = role});
  return added;
}

void GroupChange::set_role(const std::string& user, Role role) {
  session_.exec(transaction_, kSetRole, id_, user, static_cast<int>(role));
  event({.kind = MemberEvent::Kind::kRole, .user = user, .role = role});
}

bool GroupChange::remove(const std::string& user) {
  if (session_.exec(transaction_, kRemoveMember, id_, user).empty()) return false;
  event({.kind = MemberEvent::Kind::kRemoved, .user = user});
  return true;
}

void GroupChange::update(const ConversationUpdate& update) {
  const auto rows = session_.exec(transaction_, kLooks, id_);
  const auto title = text(rows[0][0]);
  const auto avatar = text(rows[0][1]);
  const bool announcement = rows[0][2].as<bool>();
  ConversationUpdate changed = update;
  forget_if_same(&changed.title, title);
  forget_if_same(&changed.avatar, avatar);
  forget_if_same(&changed.announcement, announcement);
  if (!changed.title && !changed.avatar && !changed.announcement) return;
  session_.exec(transaction_, kSetLooks, id_, changed.title.value_or(title), changed.avatar.value_or(avatar),
                changed.announcement.value_or(announcement));
  events_.add(update_event_payload(conv_, ++last_rev_, now_, by_, changed));
}

void GroupChange::finish() {
  if (last_rev_ == first_rev_) return;
  session_.exec(transaction_, kNextRev, id_, last_rev_, now_);
  session_.exec(transaction_, kAddEvents, id_, first_rev_, now_, events_.text());
}

void GroupChange::event(const MemberEvent& event) {
  MemberEvent whole = event;
  whole.conv = conv_;
  whole.rev = ++last_rev_;
  whole.server_time = now_;
  whole.by = by_;
  events_.add(member_event_payload(whole));
}

std::string make_group(PostgresSession& session, pqxx::work& transaction, const NewGroup& group,
                       const std::string& owner, TimeMs now) {
  ArrayText asked;  // in the order of asking: the first unknown one is the one that the refusal names
  asked.add(owner);
  for (const auto& member : group.members) asked.add(member);
  std::set<std::string> once(group.members.begin(), group.members.end());
  once.insert(owner);
  const std::vector<std::string> names(once.begin(), once.end());

  users_must_exist(session, transaction, asked);
  std::string name;
  pqxx::result made;
  while (made.empty()) {
    name = new_group_name();
    made = session.exec(transaction, kMakeGroup, name, group.title, group.avatar, group.announcement, now);
  }
  const ConvId id = number(made[0][0]);
  session.exec(transaction, kMakeMembers, id, array_of(names).text(), owner, now);
  ArrayText event;
  event.add(member_event_payload({.kind = MemberEvent::Kind::kCreated,
                                  .conv = name,
                                  .rev = 1,
                                  .server_time = now,
                                  .by = owner,
                                  .title = group.title,
                                  .members = static_cast<std::int64_t>(names.size())}));
  session.exec(transaction, kAddEvents, id, Rev{0}, now, event.text());
  return name;
}

}  // namespace chat
