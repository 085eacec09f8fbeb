#include "storage/postgres/reads.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "storage/errors.h"
#include "storage/names.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"

namespace chat {
namespace {

constexpr Statement kConversation{
    "conversation",
    "SELECT c.id, c.kind, c.title, c.last_seq, c.last_time, c.last_rev, c.announcement, "
    "m.user_name, m.role, m.join_seq, m.join_rev, m.read_seq "
    "FROM conversations c LEFT JOIN members m ON m.conv_id = c.id WHERE c.name = $1 ORDER BY m.user_name"};

constexpr Statement kMakeDirect{
    "make_direct",
    "WITH both_users AS (SELECT name FROM users WHERE name IN ($2, $3)), "
    "made AS (INSERT INTO conversations (name, kind, created_at, changed_at) SELECT $1, 0, chat_now(), chat_now() "
    "WHERE (SELECT count(*) FROM both_users) = 2 ON CONFLICT (name) DO NOTHING RETURNING id) "
    "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) "
    "SELECT made.id, both_users.name, 1, 1, chat_now() FROM made, both_users ORDER BY 2"};

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

std::optional<ConversationState> read_conversation(Session& session, const std::string& name, bool make) {
  pqxx::nontransaction transaction(session.connection());
  auto state = conversation_of(session.exec(transaction, kConversation, name), name);
  if (state || !make) return state;
  const auto users = direct_users(name);
  if (!users) return std::nullopt;
  session.exec(transaction, kMakeDirect, name, std::string(users->first), std::string(users->second));
  return conversation_of(session.exec(transaction, kConversation, name), name);
}

std::optional<UserState> read_user(Session& session, const std::string& name, int recent_limit, bool create) {
  if (!valid_user_name(name)) return std::nullopt;
  const int limit = std::max(recent_limit, 0);
  pqxx::nontransaction transaction(session.connection());
  auto user = user_of(session.exec(transaction, kUser, name, limit), name);
  if (user || !create) return user;
  session.exec(transaction, kMakeUser, name);
  return user_of(session.exec(transaction, kUser, name, limit), name);
}

std::vector<StoredMessage> read_messages_above(Session& session, std::span<const PageWant> wants, int limit,
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

std::vector<StoredEvent> read_events_above(Session& session, ConvId conv, Rev above, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<StoredEvent> page;
  for (const auto& row : session.exec(transaction, kEventsAbove, conv, above, std::max(limit, 0))) {
    page.push_back({number(row[0]), text(row[1]), number(row[2]), number(row[3]), text(row[4])});
  }
  return page;
}

}  // namespace chat
