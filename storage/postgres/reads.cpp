#include "storage/postgres/reads.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "storage/contact.h"
#include "storage/errors.h"
#include "storage/names.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"

namespace chat {
namespace {

constexpr Statement kConversation{
    "conversation",
    "SELECT c.id, c.kind, c.title, c.last_seq, c.last_time, c.last_rev, c.announcement, "
    "m.user_name, m.role, m.join_seq, m.join_rev, m.read_seq, c.seq_journal, c.seq_losses "
    "FROM conversations c LEFT JOIN members m ON m.conv_id = c.id WHERE c.name = $1 ORDER BY m.user_name"};

constexpr Statement kMakeDirect{
    "make_direct",
    "WITH both_users AS (SELECT name FROM users WHERE name IN ($2, $3)), "
    "made AS (INSERT INTO conversations (name, kind, created_at, changed_at, seq_journal, seq_losses) "
    "SELECT $1, 0, chat_now(), chat_now(), $4::uuid, $5::bigint "
    "WHERE (SELECT count(*) FROM both_users) = 2 ON CONFLICT (name) DO NOTHING RETURNING id) "
    "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) "
    "SELECT made.id, both_users.name, 1, 1, chat_now() FROM made, both_users ORDER BY 2"};

constexpr Statement kStanding{
    "standing",
    "SELECT coalesce(bool_or(user_name = $1 AND state = 3), false), "
    "coalesce(bool_or(user_name = $2 AND state = 3), false), coalesce(bool_or(state = 2), false) "
    "FROM contacts WHERE (user_name = $1 AND other = $2) OR (user_name = $2 AND other = $1)"};

// Numbers are given under $2 behind $3 losses from now on. $4 is kSeqJump: those that are stepped over are no messages,
// and count as none. The condition makes a second session that had the same in mind do nothing.
constexpr Statement kMarkSource{
    "mark_source",
    "WITH moved AS (UPDATE conversations c SET "
    "last_seq = c.last_seq + CASE WHEN c.seq_journal = $2 THEN $4::bigint ELSE 0 END, "
    "jumped_to = CASE WHEN c.seq_journal = $2 THEN c.last_seq + $4::bigint ELSE c.jumped_to END, "
    "seq_journal = $2, seq_losses = $3 "
    "FROM (SELECT id, seq_journal FROM conversations WHERE id = $1 FOR UPDATE) AS before "
    "WHERE c.id = before.id AND (c.seq_journal, c.seq_losses) IS DISTINCT FROM ($2, $3) "
    "RETURNING c.id, c.last_seq, before.seq_journal = $2 AS jumped) "
    "INSERT INTO voids (conv_id, first_seq, last_seq, void_at) "
    "SELECT id, last_seq - $4::bigint + 1, last_seq, 0 FROM moved WHERE jumped"};

// Within a conversation the months lie in order of seq, but over all of a sender's conversations only server_time has
// an order.
constexpr Statement kUser{
    "user",
    "SELECT r.id, r.conv_id, c.name, r.seq, r.server_time, r.mid, r.payload, r.rewritten FROM users u "
    "LEFT JOIN LATERAL (SELECT m.id, m.conv_id, m.seq, m.server_time, m.mid, m.payload, "
    "coalesce(m.recalled_at, m.edited_at) IS NOT NULL AS rewritten FROM messages m "
    "WHERE m.sender = u.name AND m.id IS NOT NULL ORDER BY m.server_time DESC, m.conv_id DESC, m.seq DESC LIMIT $2) r "
    "ON true "
    "LEFT JOIN conversations c ON c.id = r.conv_id "
    "WHERE u.name = $1 ORDER BY r.server_time, r.conv_id, r.seq"};

constexpr Statement kMakeUser{
    "make_user", "INSERT INTO users (name, created_at) VALUES ($1, chat_now()) ON CONFLICT (name) DO NOTHING"};

constexpr Statement kMessagesAbove{
    "messages_above",
    "SELECT o_conv_id, o_conv, o_seq, o_server_time, o_sender, o_id, o_mid, o_type, o_reply_to, o_ttl_s, o_payload, "
    "to_json(o_mentions) FROM chat_messages_above($1, $2, $3, $4)"};

constexpr Statement kEventsAbove{
    "events_above",
    "SELECT e.conv_id, c.name, e.rev, e.server_time, e.payload FROM events e JOIN conversations c ON c.id = e.conv_id "
    "WHERE e.conv_id = $1 AND e.rev > $2 ORDER BY e.rev LIMIT $3"};

std::optional<ConversationState> conversation_of(const pqxx::result& rows, const std::string& name) {
  if (rows.empty()) return std::nullopt;
  ConversationState state;
  const auto first = rows[0];
  state.id = number(first[0]);
  state.name = name;
  state.kind = static_cast<ConversationKind>(number(first[1]));
  state.title = text(first[2]);
  state.last_seq = number(first[3]);
  state.last_time = number(first[4]);
  state.last_rev = number(first[5]);
  state.announcement = first[6].as<bool>();
  state.members.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) {
    if (row[7].is_null()) break;  // nobody is in it
    state.members.push_back(
        {text(row[7]), static_cast<Role>(number(row[8])), number(row[9]), number(row[10]), number(row[11])});
  }
  return state;
}

bool marked(const pqxx::result& rows, const SeqSource& source) {
  const auto first = rows[0];
  return !first[12].is_null() && SeqSource{uuid(first[12]), number(first[13])} == source;
}

std::optional<UserState> user_of(const pqxx::result& rows, const std::string& name) {
  if (rows.empty()) return std::nullopt;
  UserState user{name, {}};
  for (const auto& row : rows) {
    if (row[0].is_null()) break;  // nothing sent with an id
    user.recent.push_back({text(row[0]), text(row[2]), number(row[1]), number(row[3]), number(row[4]), uuid(row[5]),
                           text(row[6]), row[7].as<bool>()});
  }
  return user;
}

StoredMessage message_of(const pqxx::row& row) {
  StoredMessage message;
  message.conv_id = number(row[0]);
  message.conv = text(row[1]);
  message.seq = number(row[2]);
  message.server_time = number(row[3]);
  message.sender = text(row[4]);
  message.id = text(row[5]);
  message.mid = uuid(row[6]);
  message.type = static_cast<MessageType>(number(row[7]));
  message.reply_to = number(row[8]);
  message.ttl_s = number(row[9]);
  message.payload = text(row[10]);
  if (!row[11].is_null()) message.mentions = nlohmann::json::parse(row[11].c_str()).get<std::vector<std::string>>();
  return message;
}

}  // namespace

DirectStanding read_standing(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& first,
                             const std::string& second) {
  const auto rows = session.exec(transaction, kStanding, first, second);
  const auto row = rows[0];
  return {row[0].as<bool>(), row[1].as<bool>(), row[2].as<bool>()};
}

std::optional<ConversationState> read_conversation(PostgresSession& session, const std::string& name,
                                                   const LoadTerms* terms) {
  pqxx::nontransaction transaction(session.connection());
  const auto users = direct_users(name);
  const auto standing = [&] {
    return read_standing(session, transaction, std::string(users->first), std::string(users->second));
  };
  auto rows = session.exec(transaction, kConversation, name);
  if (terms != nullptr) {
    const auto& source = terms->source;
    const auto journal = uuid_text(source.journal);
    if (rows.empty()) {
      if (!users) return std::nullopt;
      if (const auto between = standing(); kept_apart(between, terms->contacts_only)) {
        return apart_conversation(name, between);
      }
      session.exec(transaction, kMakeDirect, name, std::string(users->first), std::string(users->second), journal,
                   source.losses);
      rows = session.exec(transaction, kConversation, name);
    }
    if (!rows.empty() && !marked(rows, source)) {
      session.exec(transaction, kMarkSource, number(rows[0][0]), journal, source.losses, kSeqJump);
      rows = session.exec(transaction, kConversation, name);
    }
  }
  auto state = conversation_of(rows, name);
  if (state && users) state->standing = standing();
  return state;
}

std::optional<UserState> read_user(PostgresSession& session, const std::string& name, int recent_limit, bool create) {
  if (!valid_user_name(name)) return std::nullopt;
  const int limit = std::max(recent_limit, 0);
  pqxx::nontransaction transaction(session.connection());
  auto user = user_of(session.exec(transaction, kUser, name, limit), name);
  if (user || !create) return user;
  session.exec(transaction, kMakeUser, name);
  return user_of(session.exec(transaction, kUser, name, limit), name);
}

std::vector<StoredMessage> read_messages_above(PostgresSession& session, std::span<const PageWant> wants, int limit,
                                               std::size_t bytes_max) {
  std::vector<StoredMessage> page;
  if (wants.empty() || limit <= 0) return page;
  ArrayText convs;
  ArrayText aboves;
  for (const auto& want : wants) {
    convs.add(want.conv_id);
    aboves.add(want.above);
  }
  constexpr auto kBytesMost = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  const auto bytes = static_cast<std::int64_t>(std::min(bytes_max, kBytesMost));
  pqxx::nontransaction transaction(session.connection());
  const auto rows = session.exec(transaction, kMessagesAbove, convs.text(), aboves.text(), limit, bytes);
  page.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) page.push_back(message_of(row));
  return page;
}

std::vector<StoredEvent> read_events_above(PostgresSession& session, ConvId conv, Rev above, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<StoredEvent> page;
  for (const auto& row : session.exec(transaction, kEventsAbove, conv, above, std::max(limit, 0))) {
    page.push_back({number(row[0]), text(row[1]), number(row[2]), number(row[3]), text(row[4])});
  }
  return page;
}

}  // namespace chat
