#include "storage/postgres/opening.h"

#include <optional>

#include "storage/names.h"
#include "storage/postgres/device_fields.h"
#include "storage/postgres/fields.h"
#include "storage/refusals.h"

namespace chat {
namespace {

// OFFSET 0: each cursor is looked up by its key. PostgreSQL, which has no statistics of the cursors that the first
// opening just made, would compare each conversation with all of them: half a minute with 10,000. No row: the device
// was never opened. Otherwise a row for each conversation owed, or one whose conversation is NULL.
constexpr Statement kOpen{
    "open_device",
    "WITH opened AS (UPDATE devices SET last_seen = chat_now() WHERE user_name = $1 AND device = $2 AND first_seen > 0 "
    "RETURNING replay, replay_limit, ack) "
    "SELECT o.replay, o.replay_limit, o.ack, w.id, w.name, w.delivered, w.last_seq, w.rev, w.last_rev, w.jumped_to "
    "FROM opened o LEFT JOIN (SELECT c.id, c.name, c.last_seq, c.last_rev, c.last_time, c.jumped_to, "
    "greatest(m.join_seq - 1, d.delivered_seq) AS delivered, greatest(m.join_rev - 1, d.delivered_rev) AS rev "
    "FROM members m JOIN conversations c ON c.id = m.conv_id "
    "LEFT JOIN LATERAL (SELECT * FROM device_cursors k WHERE k.user_name = $1 AND k.device = $2 "
    "AND k.conv_id = m.conv_id OFFSET 0) d ON true "
    "WHERE m.user_name = $1) w ON w.last_seq > w.delivered OR w.last_rev > w.rev "
    "ORDER BY w.last_time DESC, w.id"};

constexpr Statement kOwedIn{
    "owed_in",
    "SELECT c.id, c.name, o.delivered, c.last_seq, o.rev, c.last_rev, c.jumped_to "
    "FROM members m JOIN conversations c ON c.id = m.conv_id "
    "LEFT JOIN device_cursors d ON d.user_name = m.user_name AND d.device = $2 AND d.conv_id = m.conv_id "
    "CROSS JOIN LATERAL (SELECT greatest(m.join_seq - 1, d.delivered_seq) AS delivered, "
    "greatest(m.join_rev - 1, d.delivered_rev) AS rev) o "
    "WHERE m.user_name = $1 AND m.conv_id = $3 AND (c.last_seq > o.delivered OR c.last_rev > o.rev)"};

constexpr Statement kFirst{"first_opening",
                           "INSERT INTO devices AS d (user_name, device, first_seen, last_seen) "
                           "SELECT name, $2, chat_now(), chat_now() FROM users WHERE name = $1 "
                           "ON CONFLICT (user_name, device) DO UPDATE SET first_seen = excluded.first_seen WHERE "
                           "d.first_seen = 0 RETURNING 1"};

constexpr Statement kStart{
    "start_cursors",
    "INSERT INTO device_cursors AS d (user_name, device, conv_id, delivered_seq, delivered_rev, at) "
    "SELECT $1, $2, m.conv_id, greatest(m.read_seq, m.join_seq - 1), c.last_rev, chat_now() "
    "FROM members m JOIN conversations c ON c.id = m.conv_id WHERE m.user_name = $1 ORDER BY m.conv_id "
    "ON CONFLICT (user_name, device, conv_id) DO UPDATE SET "
    "delivered_seq = greatest(d.delivered_seq, excluded.delivered_seq), "
    "delivered_rev = greatest(d.delivered_rev, excluded.delivered_rev)"};

constexpr Statement kForgetSurplus{
    "forget_surplus",
    "WITH surplus AS (SELECT device FROM devices WHERE user_name = $1 AND device <> $2 "
    "ORDER BY last_seen DESC, device OFFSET $3 - 1), "
    "cursors AS (DELETE FROM device_cursors c USING surplus s WHERE c.user_name = $1 AND c.device = s.device) "
    "DELETE FROM devices d USING surplus s WHERE d.user_name = $1 AND d.device = s.device"};

constexpr Statement kUserIsThere{"user_is_there", "SELECT 1 FROM users WHERE name = $1"};

Owed owed_of(const compat::Row& row, int first) {
  return {number(row[first]),     text(row[first + 1]),   number(row[first + 2]), number(row[first + 3]),
          number(row[first + 4]), number(row[first + 5]), number(row[first + 6])};
}

std::optional<DeviceOpening> opening_of(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  DeviceOpening opening;
  opening.settings = settings_of(rows[0], 0);
  for (const auto& row : rows) {
    if (row[3].is_null()) break;
    opening.owed.push_back(owed_of(row, 3));
  }
  return opening;
}

}  // namespace

DeviceOpening read_opening(PostgresSession& session, const std::string& user, const std::string& device) {
  if (!valid_device_name(device)) throw bad_device_name(device);
  {
    pqxx::nontransaction transaction(session.connection());
    if (auto opening = opening_of(session.exec(transaction, kOpen, user, device))) return *opening;
  }
  pqxx::work transaction(session.connection());
  const bool first = !session.exec(transaction, kFirst, user, device).empty();
  if (first) {
    session.exec(transaction, kStart, user, device);
    session.exec(transaction, kForgetSurplus, user, device, kDevicesKept);
  } else if (session.exec(transaction, kUserIsThere, user).empty()) {
    throw no_such_user(user);
  }
  auto opening = opening_of(session.exec(transaction, kOpen, user, device));
  if (!opening) throw StoreCorrupt("the device \"" + device + "\" went away while it was being opened");
  transaction.commit();
  opening->first_seen = first;
  return *opening;
}

std::optional<Owed> read_owed_in(PostgresSession& session, const std::string& user, const std::string& device,
                                 ConvId conv) {
  pqxx::nontransaction transaction(session.connection());
  const auto rows = session.exec(transaction, kOwedIn, user, device, conv);
  if (rows.empty()) return std::nullopt;
  return owed_of(rows[0], 0);
}

}  // namespace chat
