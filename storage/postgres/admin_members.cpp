// Conversations and their members, as the admin tool changes them.
#include <algorithm>

#include "storage/names.h"
#include "storage/postgres/admin.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/group_change.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kListConversations{
    "list_conversations",
    "SELECT c.name, c.kind, c.title, (SELECT count(*) FROM members m WHERE m.conv_id = c.id), c.last_seq, c.last_time "
    "FROM conversations c WHERE c.name > $1 ORDER BY c.name LIMIT $2"};

}  // namespace

std::vector<ConversationRow> read_conversations(PostgresSession& session, const std::string& after, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<ConversationRow> rows;
  for (const auto& row : session.exec(transaction, kListConversations, after, std::max(limit, 0))) {
    rows.push_back({text(row[0]), static_cast<ConversationKind>(number(row[1])), text(row[2]), number(row[3]),
                    number(row[4]), number(row[5])});
  }
  return rows;
}

std::string insert_group(PostgresSession& session, const std::string& title, const std::string& owner,
                         std::span<const std::string> members, TimeMs now) {
  if (title.size() > kTitleMax) throw title_too_long(title);
  pqxx::work transaction(session.connection());
  auto name =
      make_group(session, transaction, {.title = title, .members = {members.begin(), members.end()}}, owner, now);
  transaction.commit();
  return name;
}

void put_member(PostgresSession& session, const std::string& conv, const std::string& user, Role role,
                const std::string& by, TimeMs now) {
  pqxx::work transaction(session.connection());
  GroupChange group(session, transaction, conv, by, now);
  const auto present = group.role_of(user);
  if (!present) {
    group.add(std::span(&user, 1), role);
  } else if (*present != role) {
    group.set_role(user, role);
  }
  group.finish();
  transaction.commit();
}

void delete_member(PostgresSession& session, const std::string& conv, const std::string& user, const std::string& by,
                   TimeMs now) {
  pqxx::work transaction(session.connection());
  GroupChange group(session, transaction, conv, by, now);
  if (!group.remove(user)) throw not_in_conversation(conv, user);
  group.finish();
  transaction.commit();
}

}  // namespace chat
