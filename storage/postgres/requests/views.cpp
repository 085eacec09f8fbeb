// Conversations as one of their members sees them: a single one, the list, the unread counts.
#include <limits>

#include "storage/message_event.h"
#include "storage/names.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kSeats{
    "seats",
    "SELECT a.name, c.id, c.kind, m.role, c.last_seq, m.join_seq, m.join_rev, m.deleted_to "
    "FROM unnest($1::text[]) WITH ORDINALITY AS a (name, n) LEFT JOIN conversations c ON c.name = a.name "
    "LEFT JOIN members m ON m.conv_id = c.id AND m.user_name = $2 ORDER BY a.n"};

constexpr Statement kMemberCount{"member_count", "SELECT count(*) FROM members WHERE conv_id = $1"};

// $1 the user, $2 the time. The columns are those that view_of() reads.
#define CHAT_VIEW_COLUMNS                                                                                         \
  "s.conv_id, s.active, c.name, c.kind, c.title, c.avatar, c.announcement, c.last_seq, c.last_rev, c.last_time, " \
  "m.role, m.read_seq, s.unread, "                                                                                \
  "CASE WHEN s.unread > 0 THEN chat_mentions(m.user_name, m.conv_id, s.floor_seq, $2) ELSE 0 END, m.muted, "      \
  "m.pinned_at, m.draft, p.name, p.display_name, p.avatar "
#define CHAT_VIEW_JOINS                                                                         \
  "JOIN conversations c ON c.id = s.conv_id "                                                   \
  "JOIN members m ON m.conv_id = s.conv_id AND m.user_name = $1 "                               \
  "LEFT JOIN LATERAL (SELECT o.user_name FROM members o WHERE c.kind = 0 AND o.conv_id = c.id " \
  "AND o.user_name <> m.user_name LIMIT 1) o ON true LEFT JOIN users p ON p.name = o.user_name "

constexpr Statement kView{
    "view", "SELECT " CHAT_VIEW_COLUMNS "FROM chat_standings($1, $2) s " CHAT_VIEW_JOINS "WHERE s.conv_id = $3"};

// How the user stands everywhere is computed once for a page's keys; what a row shows is looked up for the page's rows
// only.
constexpr Statement kOverviewKeys{"overview_keys",
                                  "WITH a AS MATERIALIZED (SELECT * FROM chat_all_standings($1, $2)) "
                                  "SELECT conv_id, active, unread > 0, (SELECT count(*) FROM a) FROM a "
                                  "WHERE (unread > 0, active, conv_id) < ($3::boolean, $4::bigint, $5::bigint) "
                                  "ORDER BY unread > 0 DESC, active DESC, conv_id DESC LIMIT $6"};

// Behind the view's columns, the newest message that the user may see.
constexpr Statement kOverviewOf{
    "overview_of",
    "SELECT " CHAT_VIEW_COLUMNS
    ", l.seq, l.server_time, l.sender, l.mid, l.type, l.payload, chat_expired(l.server_time, l.ttl_s, $2) AND "
    "l.recalled_at IS NULL FROM unnest($3::bigint[]) WITH ORDINALITY AS w (conv_id, n) "
    "CROSS JOIN LATERAL (SELECT * FROM chat_standings($1, $2) o WHERE o.conv_id = w.conv_id) s " CHAT_VIEW_JOINS
    "CROSS JOIN LATERAL chat_last_seen($1, c.id, greatest(m.join_seq, m.deleted_to + 1), c.last_seq, c.last_time) l "
    "ORDER BY w.n"};

// Everything in kOverviewOf is found by a key. PostgreSQL would plan it anew each time, which takes as long as the
// answer, and read all conversations where a page is a good part of them.
constexpr char kByKeys[] = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off";

#undef CHAT_VIEW_COLUMNS
#undef CHAT_VIEW_JOINS

// The total is the same in each row; a row without a conversation only carries it.
constexpr Statement kUnread{
    "unread",
    "WITH s AS MATERIALIZED (SELECT * FROM chat_all_standings($1, $2) WHERE unread > 0) "
    "SELECT (SELECT coalesce(sum(unread), 0)::bigint FROM s WHERE NOT muted), r.conv_id, r.name, r.unread, r.mentions, "
    "r.muted FROM (SELECT 1) one LEFT JOIN LATERAL ("
    "SELECT s.conv_id, c.name, s.unread, chat_mentions($1, s.conv_id, s.floor_seq, $2) AS mentions, s.muted "
    "FROM (SELECT * FROM s WHERE s.conv_id > $3 ORDER BY s.conv_id LIMIT $4) s "
    "JOIN conversations c ON c.id = s.conv_id) r ON true ORDER BY r.conv_id"};

ConversationView view_of(const compat::Row& row) {
  ConversationView view;
  view.conv = text(row[2]);
  view.kind = static_cast<ConversationKind>(number(row[3]));
  view.title = text(row[4]);
  view.avatar = text(row[5]);
  view.announcement = row[6].as<bool>();
  view.last_seq = number(row[7]);
  view.last_rev = number(row[8]);
  view.last_time = number(row[9]);
  view.role = static_cast<Role>(number(row[10]));
  view.read = number(row[11]);
  view.unread = number(row[12]);
  view.mentions = number(row[13]);
  view.muted = row[14].as<bool>();
  view.pinned_at = number(row[15]);
  view.draft = text(row[16]);
  if (!row[17].is_null()) view.peer = Profile{text(row[17]), text(row[18]), text(row[19]), {}};
  return view;
}

constexpr compat::Row::size_type kLast = 20;  // the first column behind those of view_of(), in kOverviewOf

std::optional<StoredMessage> last_of(const compat::Row& row, const std::string& conv) {
  if (row[kLast].is_null()) return std::nullopt;
  StoredMessage last;
  last.conv = conv;
  last.seq = number(row[kLast]);
  last.server_time = number(row[kLast + 1]);
  last.sender = text(row[kLast + 2]);
  last.mid = uuid(row[kLast + 3]);
  last.type = static_cast<MessageType>(number(row[kLast + 4]));
  last.payload = row[kLast + 6].as<bool>() ? std::string(kExpiredPayload) : text(row[kLast + 5]);
  return last;
}

}  // namespace

std::vector<Seat> read_seats(PostgresSession& session, pqxx::transaction_base& transaction,
                             std::span<const std::string> convs, const std::string& user) {
  ArrayText names;
  for (const auto& conv : convs) {
    if (!valid_conversation_name(conv)) throw no_such_conversation(conv);
    names.add(conv);
  }
  std::vector<Seat> seats;
  for (const auto& row : session.exec(transaction, kSeats, names.text(), user)) {
    if (row[1].is_null()) throw no_such_conversation(text(row[0]));
    if (row[3].is_null()) throw not_a_member(text(row[0]), user);
    Seat seat;
    seat.conv_id = number(row[1]);
    seat.kind = static_cast<ConversationKind>(number(row[2]));
    seat.role = static_cast<Role>(number(row[3]));
    seat.last_seq = number(row[4]);
    seat.join_seq = number(row[5]);
    seat.join_rev = number(row[6]);
    seat.deleted_to = number(row[7]);
    seats.push_back(seat);
  }
  return seats;
}

Seat read_seat(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& conv,
               const std::string& user) {
  return read_seats(session, transaction, std::span(&conv, 1), user).front();
}

ConversationView read_view(PostgresSession& session, const std::string& conv, const std::string& user, TimeMs now) {
  pqxx::nontransaction transaction(session.connection());
  const auto seat = read_seat(session, transaction, conv, user);
  const auto rows = session.exec(transaction, kView, user, now, seat.conv_id);
  if (rows.empty()) throw not_a_member(conv, user);  // left between the two statements
  auto view = view_of(rows[0]);
  view.members = number(session.exec(transaction, kMemberCount, seat.conv_id)[0][0]);
  return view;
}

ConversationPage read_overview(PostgresSession& session, const std::string& user,
                               const std::optional<ListPlace>& behind, int limit, TimeMs now) {
  constexpr auto kEnd = std::numeric_limits<std::int64_t>::max();
  const auto from = behind.value_or(ListPlace{true, kEnd, kEnd});
  ConversationPage page;
  std::vector<ConvId> convs;
  {
    pqxx::nontransaction transaction(session.connection());
    ListPlace last;
    for (const auto& row :
         session.exec(transaction, kOverviewKeys, user, now, from.unread, from.active, from.conv_id, limit + 1)) {
      page.conversations = static_cast<std::size_t>(number(row[3]));
      if (static_cast<int>(convs.size()) == limit) {
        page.next = last;
        break;
      }
      last = {row[2].as<bool>(), number(row[1]), number(row[0])};
      convs.push_back(last.conv_id);
    }
  }
  page.rows = read_overview_of(session, user, convs, now);
  return page;
}

std::vector<ConversationView> read_overview_of(PostgresSession& session, const std::string& user,
                                               std::span<const ConvId> convs, TimeMs now) {
  std::vector<ConversationView> views;
  if (convs.empty()) return views;
  ArrayText ids;
  for (const auto conv : convs) ids.add(conv);
  pqxx::work transaction(session.connection());
  transaction.exec(kByKeys);
  for (const auto& row : session.exec(transaction, kOverviewOf, user, now, ids.text())) {
    views.push_back(view_of(row));
    views.back().last = last_of(row, views.back().conv);
  }
  transaction.commit();
  return views;
}

UnreadPage read_unread(PostgresSession& session, const std::string& user, ConvId behind, int limit, TimeMs now) {
  pqxx::nontransaction transaction(session.connection());
  const auto rows = session.exec(transaction, kUnread, user, now, behind, limit + 1);
  UnreadPage page;
  page.total = number(rows[0][0]);
  ConvId last = 0;
  for (const auto& row : rows) {
    if (row[1].is_null()) break;
    if (static_cast<int>(page.rows.size()) == limit) {
      page.next = last;
      break;
    }
    last = number(row[1]);
    page.rows.push_back({text(row[2]), number(row[3]), number(row[4]), row[5].as<bool>()});
  }
  return page;
}

}  // namespace chat
