#include "storage/postgres/reads.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "storage/contact.h"
#include "storage/errors.h"
#include "storage/names.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"

namespace chat {
namespace {

// A row per member, those of one conversation together; one row with nulls where nobody is in it. changed_at rises with
// each event to its server_time; only of a conversation without any it is when that was made.
constexpr Statement kConversations{
    "conversations",
    "SELECT c.id, c.name, c.kind, c.title, c.last_seq, c.last_time, c.last_rev, c.announcement, "
    "CASE WHEN c.last_rev > 0 THEN c.changed_at ELSE 0 END, c.seq_journal, c.seq_losses, "
    "m.user_name, m.role, m.join_seq, m.join_rev, m.read_seq "
    "FROM conversations c LEFT JOIN members m ON m.conv_id = c.id WHERE c.name = ANY ($1::text[]) "
    "ORDER BY c.id, m.user_name"};

constexpr Statement kMakeDirect{
    "make_direct",
    "WITH both_users AS (SELECT name FROM users WHERE name IN ($2, $3)), "
    "made AS (INSERT INTO conversations (name, kind, created_at, changed_at, seq_journal, seq_losses) "
    "SELECT $1, 0, chat_now(), chat_now(), $4::uuid, $5::bigint "
    "WHERE (SELECT count(*) FROM both_users) = 2 ON CONFLICT (name) DO NOTHING RETURNING id) "
    "INSERT INTO members (conv_id, user_name, join_seq, join_rev, joined_at) "
    "SELECT made.id, both_users.name, 1, 1, chat_now() FROM made, both_users ORDER BY 2"};

// A row per pair, in their order.
constexpr Statement kBetween{"between",
                             "SELECT coalesce(a.state = 3, false), coalesce(b.state = 3, false), "
                             "coalesce(a.state = 2, false) OR coalesce(b.state = 2, false) "
                             "FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS p (one, two, n) "
                             "LEFT JOIN contacts a ON a.user_name = p.one AND a.other = p.two "
                             "LEFT JOIN contacts b ON b.user_name = p.two AND b.other = p.one ORDER BY p.n"};

// Numbers are given under $2 behind $3 losses from now on. $4 is kSeqJump: those that are stepped over are no messages,
// and count as none. The condition makes a second session that had the same in mind do nothing. Locked in one order, so
// that two never wait for each other.
constexpr Statement kMarkSource{
    "mark_source",
    "WITH moved AS (UPDATE conversations c SET "
    "last_seq = c.last_seq + CASE WHEN c.seq_journal = $2 THEN $4::bigint ELSE 0 END, "
    "jumped_to = CASE WHEN c.seq_journal = $2 THEN c.last_seq + $4::bigint ELSE c.jumped_to END, "
    "seq_journal = $2, seq_losses = $3 "
    "FROM (SELECT id, seq_journal FROM conversations WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE) AS before "
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

struct LoadedRow {
  ConversationState state;
  std::optional<SeqSource> source;  // under which numbers are given in it; nullopt: none was given yet
};

using LoadedRows = std::map<std::string, LoadedRow, std::less<>>;

// What is there of these names takes the place of what `loaded` has.
void read_rows(PostgresSession& session, pqxx::transaction_base& transaction, std::span<const std::string> names,
               LoadedRows* loaded) {
  LoadedRow* at = nullptr;
  for (const auto& row : session.exec(transaction, kConversations, array_of(names).text())) {
    if (const auto id = number(row[0]); at == nullptr || id != at->state.id) {
      at = &(*loaded)[text(row[1])];
      *at = {};
      auto& state = at->state;
      state.id = id;
      state.name = text(row[1]);
      state.kind = static_cast<ConversationKind>(number(row[2]));
      state.title = text(row[3]);
      state.last_seq = number(row[4]);
      state.last_time = number(row[5]);
      state.last_rev = number(row[6]);
      state.announcement = row[7].as<bool>();
      state.changed_at = number(row[8]);
      if (!row[9].is_null()) at->source = SeqSource{uuid(row[9]), number(row[10])};
    }
    if (row[11].is_null()) continue;  // nobody is in it
    at->state.members.push_back(
        {text(row[11]), static_cast<Role>(number(row[12])), number(row[13]), number(row[14]), number(row[15])});
  }
}

// How the two of each direct conversation among `names` stand to each other.
std::map<std::string, DirectStanding> read_standings(PostgresSession& session, pqxx::transaction_base& transaction,
                                                     std::span<const std::string> names) {
  std::vector<const std::string*> direct;
  ArrayText firsts;
  ArrayText seconds;
  for (const auto& name : names) {
    const auto users = direct_users(name);
    if (!users) continue;
    direct.push_back(&name);
    firsts.add(users->first);
    seconds.add(users->second);
  }
  std::map<std::string, DirectStanding> standings;
  if (direct.empty()) return standings;
  auto name = direct.begin();
  for (const auto& row : session.exec(transaction, kBetween, firsts.text(), seconds.text())) {
    standings[**name++] = {row[0].as<bool>(), row[1].as<bool>(), row[2].as<bool>()};
  }
  return standings;
}

// Makes those of `missing` that may be, in their order, and answers how they stand whose conversation is not made for
// that.
std::map<std::string, DirectStanding> make_directs(PostgresSession& session, pqxx::transaction_base& transaction,
                                                   std::span<const std::string> missing, const LoadTerms& terms,
                                                   std::vector<std::string>* made) {
  auto apart = read_standings(session, transaction, missing);
  for (const auto& name : missing) {
    const auto one = apart.find(name);
    if (one == apart.end() || kept_apart(one->second, terms.contacts_only)) continue;
    const auto users = direct_users(name);
    session.exec(transaction, kMakeDirect, name, std::string(users->first), std::string(users->second),
                 uuid_text(terms.source.journal), terms.source.losses);
    made->push_back(name);
    apart.erase(one);
  }
  return apart;
}

// From now on this source gives numbers in all of them. Answers the names of those in which another did, or none.
std::vector<std::string> mark(PostgresSession& session, pqxx::transaction_base& transaction, const LoadedRows& loaded,
                              const SeqSource& source) {
  std::vector<std::string> names;
  ArrayText ids;
  for (const auto& [name, row] : loaded) {
    if (row.source == source) continue;
    names.push_back(name);
    ids.add(row.state.id);
  }
  if (!names.empty()) {
    session.exec(transaction, kMarkSource, ids.text(), uuid_text(source.journal), source.losses, kSeqJump);
  }
  return names;
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

StoredMessage message_of(const compat::Row& row) {
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
  ArrayText one;
  ArrayText two;
  one.add(first);
  two.add(second);
  const auto rows = session.exec(transaction, kBetween, one.text(), two.text());
  return {rows[0][0].as<bool>(), rows[0][1].as<bool>(), rows[0][2].as<bool>()};
}

std::vector<std::optional<ConversationState>> read_conversations(PostgresSession& session,
                                                                 std::span<const std::string> names,
                                                                 const LoadTerms* terms) {
  pqxx::nontransaction transaction(session.connection());
  LoadedRows loaded;
  read_rows(session, transaction, names, &loaded);
  std::map<std::string, DirectStanding> apart;
  if (terms != nullptr) {
    std::vector<std::string> missing;
    for (const auto& name : names) {
      if (!loaded.contains(name)) missing.push_back(name);
    }
    std::vector<std::string> made;
    apart = make_directs(session, transaction, missing, *terms, &made);
    if (!made.empty()) read_rows(session, transaction, made, &loaded);
    if (const auto moved = mark(session, transaction, loaded, terms->source); !moved.empty()) {
      read_rows(session, transaction, moved, &loaded);
    }
  }
  const auto standings = read_standings(session, transaction, names);  // last: what changed before is in it
  std::vector<std::optional<ConversationState>> answers;
  for (const auto& name : names) {
    auto& answer = answers.emplace_back();
    if (const auto found = loaded.find(name); found != loaded.end()) {
      answer = found->second.state;
      if (const auto standing = standings.find(name); standing != standings.end()) answer->standing = standing->second;
    } else if (const auto kept = apart.find(name); kept != apart.end()) {
      answer = apart_conversation(name, kept->second);
    }
  }
  return answers;
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
