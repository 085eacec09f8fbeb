// Contacts and blocks. What a step makes of the two is storage/contact.h's; here it is read, kept and told.
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/changes.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

// In byte order, so that two who act on each other wait for one another and do not meet.
constexpr Statement kLockPair{"lock_pair",
                              "SELECT name FROM users WHERE name IN ($1, $2) ORDER BY name FOR NO KEY UPDATE"};

constexpr Statement kPair{"contact_pair",
                          "SELECT (SELECT state FROM contacts WHERE user_name = $1 AND other = $2), "
                          "(SELECT state FROM contacts WHERE user_name = $2 AND other = $1)"};

constexpr Statement kPut{"put_contact",
                         "INSERT INTO contacts (user_name, other, state, at) VALUES ($1, $2, $3, $4) "
                         "ON CONFLICT (user_name, other) DO UPDATE SET state = excluded.state, at = excluded.at"};

constexpr Statement kDrop{"drop_contact", "DELETE FROM contacts WHERE user_name = $1 AND other = $2"};

// The bridge looks when it hears of commands: it is to look now.
constexpr Statement kTell{"tell_contact",
                          "WITH told AS (INSERT INTO outgoing (user_name, leaf, payload) VALUES ($1, 'event', $2)) "
                          "SELECT pg_notify('chat_commands', '')"};

constexpr Statement kBlockers{
    "blockers",
    "SELECT c.user_name FROM contacts c WHERE c.user_name = ANY ($2::text[]) AND c.other = $1 AND c.state = 3 "
    "AND NOT EXISTS (SELECT FROM members m WHERE m.conv_id = $3 AND m.user_name = c.user_name) "
    "ORDER BY c.user_name LIMIT 1"};

constexpr Statement kContacts{
    "contacts_page",
    "SELECT c.other, u.display_name, u.avatar, c.state, c.at FROM contacts c JOIN users u ON u.name = c.other "
    "WHERE c.user_name = $1 AND c.other > $2 AND ($3 < 0 OR c.state = $3) ORDER BY c.other LIMIT $4"};

std::optional<ContactState> state_of(const compat::Field& field) {
  if (field.is_null()) return std::nullopt;
  return static_cast<ContactState>(number(field));
}

}  // namespace

std::optional<ContactState> PostgresChanges::change_contact(ContactAction action, const std::string& other) {
  if (other == user_) throw own_contact(user_);
  const auto users = session_.exec(transaction_, kLockPair, user_, other);
  if (users.size() < 2) throw no_such_user(other);
  const auto read = session_.exec(transaction_, kPair, user_, other);
  const ContactPair before{state_of(read[0][0]), state_of(read[0][1])};
  const auto step = contact_step(action, user_, other, before);
  const auto put = [&](const std::string& whose, const std::string& whom, const std::optional<ContactState>& was,
                       const std::optional<ContactState>& becomes) {
    if (was == becomes) return;
    if (becomes) {
      session_.exec(transaction_, kPut, whose, whom, static_cast<int>(*becomes), now_);
    } else {
      session_.exec(transaction_, kDrop, whose, whom);
    }
  };
  put(user_, other, before.mine, step.becomes.mine);
  put(other, user_, before.theirs, step.becomes.theirs);
  if (!step.told.empty()) session_.exec(transaction_, kTell, other, contact_event_payload(step.told, user_, now_));
  return step.becomes.mine;
}

void PostgresChanges::must_be_allowed_to_add(ConvId group, std::span<const std::string> users) {
  ArrayText names;
  for (const auto& name : users) names.add(name);
  const auto blockers = session_.exec(transaction_, kBlockers, user_, names.text(), group);
  if (!blockers.empty()) throw blocked_by(user_, text(blockers[0][0]));
}

std::vector<ContactRow> read_contacts(PostgresSession& session, const std::string& user,
                                      const std::optional<ContactState>& only, const std::string& behind, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<ContactRow> rows;
  const int state = only ? static_cast<int>(*only) : -1;
  for (const auto& row : session.exec(transaction, kContacts, user, behind, state, limit)) {
    rows.push_back({text(row[0]), text(row[1]), text(row[2]), state_of(row[3]).value(), number(row[4])});
  }
  return rows;
}

}  // namespace chat
