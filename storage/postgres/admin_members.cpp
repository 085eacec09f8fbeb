// Conversations and their members. Each change of a group's membership locks the group's row first: that is what keeps
// `rev` without holes, and a new member's first seq apart from a commit that runs beside it.
#include <algorithm>
#include <set>

#include "storage/member_event.h"
#include "storage/names.h"
#include "storage/postgres/admin.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kListConversations{
    "list_conversations",
    "SELECT c.name, c.kind, c.title, (SELECT count(*) FROM members m WHERE m.conv_id = c.id), c.last_seq, c.last_time "
    "FROM conversations c WHERE c.name > $1 ORDER BY c.name LIMIT $2"};

constexpr Statement kMissingUser{
    "missing_user",
    "SELECT u.name FROM unnest($1::text[]) WITH ORDINALITY AS u (name, n) "
    "WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.name = u.name) ORDER BY u.n LIMIT 1"};

constexpr Statement kMakeGroup{
    "make_group",
    "INSERT INTO conversations (name, kind, title, last_rev, created_at, changed_at) VALUES ($1, 1, $2, 1, $3, $3) "
    "ON CONFLICT (name) DO NOTHING RETURNING id"};

constexpr Statement kMakeMembers{"make_members",
                                 "INSERT INTO members (conv_id, user_name, role, join_seq, join_rev, joined_at) "
                                 "SELECT $1::bigint, u.name, CASE WHEN u.name = $3 THEN 2 ELSE 0 END, 1, 1, $4::bigint "
                                 "FROM unnest($2::text[]) AS u (name)"};

constexpr Statement kAddEvent{"add_event",
                              "INSERT INTO events (conv_id, rev, server_time, payload) VALUES ($1, $2, $3, $4)"};

constexpr Statement kLockGroup{
    "lock_group", "SELECT id, kind, last_seq, last_rev FROM conversations WHERE name = $1 FOR NO KEY UPDATE"};

constexpr Statement kRole{"role", "SELECT role FROM members WHERE conv_id = $1 AND user_name = $2"};

constexpr Statement kAddMember{
    "add_member",
    "INSERT INTO members (conv_id, user_name, role, join_seq, join_rev, joined_at) VALUES ($1, $2, $3, $4, $5, $6)"};

constexpr Statement kSetRole{"set_role", "UPDATE members SET role = $3 WHERE conv_id = $1 AND user_name = $2"};

constexpr Statement kRemoveMember{"remove_member",
                                  "DELETE FROM members WHERE conv_id = $1 AND user_name = $2 RETURNING 1"};

constexpr Statement kNextRev{"next_rev", "UPDATE conversations SET last_rev = $2, changed_at = $3 WHERE id = $1"};

struct Group {
  ConvId id = 0;
  Seq last_seq = 0;
  Rev last_rev = 0;
};

Group lock_group(Session& session, pqxx::work& transaction, const std::string& name) {
  const auto found = session.exec(transaction, kLockGroup, name);
  if (found.empty()) throw no_such_conversation(name);
  const auto row = found[0];
  if (static_cast<ConversationKind>(number(row[1])) == ConversationKind::kDirect) throw direct_is_fixed(name);
  return {number(row[0]), number(row[2]), number(row[3])};
}

void users_must_exist(Session& session, pqxx::work& transaction, const ArrayText& names) {
  const auto missing = session.exec(transaction, kMissingUser, names.text());
  if (!missing.empty()) throw no_such_user(text(missing[0][0]));
}

// The event's rev is the one behind the locked group's last.
void add_event(Session& session, pqxx::work& transaction, const Group& group, const MemberEvent& event) {
  session.exec(transaction, kNextRev, group.id, event.rev, event.server_time);
  session.exec(transaction, kAddEvent, group.id, event.rev, event.server_time, member_event_payload(event));
}

}  // namespace

std::vector<ConversationRow> read_conversations(Session& session, const std::string& after, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<ConversationRow> rows;
  for (const auto& row : session.exec(transaction, kListConversations, after, std::max(limit, 0))) {
    rows.push_back({text(row[0]), static_cast<ConversationKind>(number(row[1])), text(row[2]), number(row[3]),
                    number(row[4]), number(row[5])});
  }
  return rows;
}

std::string insert_group(Session& session, const std::string& title, const std::string& owner,
                         std::span<const std::string> members, TimeMs now) {
  if (title.size() > kTitleMax) throw title_too_long(title);
  ArrayText asked;  // in the order of asking: the first unknown one is the one that the refusal names
  asked.add(owner);
  for (const auto& member : members) asked.add(member);
  std::set<std::string> names(members.begin(), members.end());
  names.insert(owner);
  ArrayText once;
  for (const auto& name : names) once.add(name);

  pqxx::work transaction(session.connection());
  users_must_exist(session, transaction, asked);
  std::string name = new_group_name();
  auto made = session.exec(transaction, kMakeGroup, name, title, now);
  while (made.empty()) {
    name = new_group_name();
    made = session.exec(transaction, kMakeGroup, name, title, now);
  }
  const ConvId id = number(made[0][0]);
  session.exec(transaction, kMakeMembers, id, once.text(), owner, now);
  session.exec(transaction, kAddEvent, id, Rev{1}, now,
               member_event_payload({.kind = MemberEvent::Kind::kCreated,
                                     .conv = name,
                                     .rev = 1,
                                     .server_time = now,
                                     .by = owner,
                                     .title = title,
                                     .members = static_cast<std::int64_t>(names.size())}));
  transaction.commit();
  return name;
}

void put_member(Session& session, const std::string& conv, const std::string& user, Role role, const std::string& by,
                TimeMs now) {
  pqxx::work transaction(session.connection());
  const auto group = lock_group(session, transaction, conv);
  ArrayText name;
  name.add(user);
  users_must_exist(session, transaction, name);
  MemberEvent event{.conv = conv, .rev = group.last_rev + 1, .server_time = now, .user = user, .role = role, .by = by};
  const auto present = session.exec(transaction, kRole, group.id, user);
  const int wanted = static_cast<int>(role);
  if (present.empty()) {
    event.kind = MemberEvent::Kind::kAdded;
    session.exec(transaction, kAddMember, group.id, user, wanted, group.last_seq + 1, event.rev, now);
  } else {
    if (number(present[0][0]) == wanted) return;
    event.kind = MemberEvent::Kind::kRole;
    session.exec(transaction, kSetRole, group.id, user, wanted);
  }
  add_event(session, transaction, group, event);
  transaction.commit();
}

void delete_member(Session& session, const std::string& conv, const std::string& user, const std::string& by,
                   TimeMs now) {
  pqxx::work transaction(session.connection());
  const auto group = lock_group(session, transaction, conv);
  if (session.exec(transaction, kRemoveMember, group.id, user).empty()) throw not_in_conversation(conv, user);
  add_event(session, transaction, group,
            {.kind = MemberEvent::Kind::kRemoved,
             .conv = conv,
             .rev = group.last_rev + 1,
             .server_time = now,
             .user = user,
             .by = by});
  transaction.commit();
}

}  // namespace chat
