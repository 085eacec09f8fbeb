// Messages, events and reactions, as far as one user may see them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "storage/message_event.h"
#include "storage/postgres/array_text.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/reading.h"

namespace chat {
namespace {

constexpr Statement kMessages{"messages_seen",
                              "SELECT o_conv, o_seq, o_server_time, o_sender, o_mid, o_type, o_gone, o_payload "
                              "FROM chat_messages_seen($1, $2, $3, $4, $5, $6, $7, $8)"};

constexpr Statement kEvents{
    "events_seen",
    "SELECT w.conv_id, c.name, e.rev, e.server_time, e.payload "
    "FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (conv_id, above, n) "
    "JOIN conversations c ON c.id = w.conv_id JOIN members m ON m.conv_id = w.conv_id AND m.user_name = $1 "
    "CROSS JOIN LATERAL (SELECT * FROM events WHERE events.conv_id = w.conv_id "
    "AND events.rev > greatest(w.above, m.join_rev - 1) ORDER BY events.rev LIMIT $4) e ORDER BY w.n, e.rev LIMIT $4"};

constexpr Statement kReactions{
    "reactions",
    "SELECT seq, emoji, count(*), to_json((array_agg(user_name ORDER BY at, user_name))[1:$3]) FROM reactions "
    "WHERE conv_id = $1 AND seq = ANY ($2::bigint[]) GROUP BY seq, emoji ORDER BY seq, min(at), emoji"};

}  // namespace

MessagePage read_messages(PostgresSession& session, const std::string& user, std::span<const SeqRange> ranges,
                          bool newest, int limit, std::size_t bytes_max, TimeMs now) {
  MessagePage page;
  if (ranges.empty()) return page;
  ArrayText convs;
  ArrayText lows;
  ArrayText highs;
  for (const auto& range : ranges) {
    convs.add(range.conv_id);
    lows.add(range.low);
    highs.add(range.high);
  }
  pqxx::nontransaction transaction(session.connection());
  const auto rows = session.exec(transaction, kMessages, user, convs.text(), lows.text(), highs.text(), newest,
                                 limit + 1, static_cast<std::int64_t>(bytes_max), now);
  std::size_t bytes = 0;
  for (const auto& row : rows) {
    if (static_cast<int>(page.rows.size()) == limit || (bytes >= bytes_max && !page.rows.empty())) {
      page.more = true;
      break;
    }
    bytes += row[7].size();
    StoredMessage message;
    message.conv = text(row[0]);
    message.seq = number(row[1]);
    message.server_time = number(row[2]);
    message.sender = text(row[3]);
    message.mid = uuid(row[4]);
    message.type = static_cast<MessageType>(number(row[5]));
    message.payload = row[6].as<bool>() ? std::string(kExpiredPayload) : text(row[7]);
    page.rows.push_back(std::move(message));
  }
  return page;
}

EventPage read_events(PostgresSession& session, const std::string& user, std::span<const RevWant> wants, int limit) {
  EventPage page;
  if (wants.empty()) return page;
  ArrayText convs;
  ArrayText aboves;
  for (const auto& want : wants) {
    convs.add(want.conv_id);
    aboves.add(want.above);
  }
  pqxx::nontransaction transaction(session.connection());
  for (const auto& row : session.exec(transaction, kEvents, user, convs.text(), aboves.text(), limit + 1)) {
    if (static_cast<int>(page.rows.size()) == limit) {
      page.more = true;
      break;
    }
    page.rows.push_back({number(row[0]), text(row[1]), number(row[2]), number(row[3]), text(row[4])});
  }
  return page;
}

std::vector<ReactionRow> read_reactions(PostgresSession& session, ConvId conv, std::span<const Seq> seqs) {
  std::vector<ReactionRow> reactions;
  if (seqs.empty()) return reactions;
  ArrayText wanted;
  for (const Seq seq : seqs) wanted.add(seq);
  pqxx::nontransaction transaction(session.connection());
  for (const auto& row : session.exec(transaction, kReactions, conv, wanted.text(), kReactionUsersMax)) {
    reactions.push_back({number(row[0]), text(row[1]), number(row[2]),
                         nlohmann::json::parse(row[3].c_str()).get<std::vector<std::string>>()});
  }
  return reactions;
}

}  // namespace chat
