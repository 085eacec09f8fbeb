// Members, who has read what, devices, profiles.
#include "storage/postgres/array_text.h"
#include "storage/postgres/device_fields.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/requests/reading.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kMembers{
    "members_page",
    "SELECT m.user_name, u.display_name, m.role, m.joined_at FROM members m JOIN users u ON u.name = m.user_name "
    "WHERE m.conv_id = $1 AND m.user_name > $2 ORDER BY m.user_name LIMIT $3"};

constexpr Statement kSender{"sender_of",
                            "SELECT s.sender FROM messages s WHERE s.conv_id = $1 AND s.seq = $3 AND NOT EXISTS "
                            "(SELECT FROM hidden_messages h WHERE h.user_name = $2 AND h.conv_id = $1 AND h.seq = $3)"};

// $1 the conversation, $2 the message's seq, $3 its sender
constexpr Statement kReadCount{"read_count",
                               "SELECT count(*), count(*) FILTER (WHERE read_seq >= $2) FROM members "
                               "WHERE conv_id = $1 AND join_seq <= $2 AND user_name <> $3"};

// Cursors are found by their key, through the user's devices: a user's cursors in other conversations cost nothing. (An
// EXISTS in its place would be turned into one walk over everybody's cursors.)
constexpr Statement kReceipts{
    "receipts",
    "SELECT m.user_name, m.read_seq >= $2, coalesce((SELECT max(c.delivered_seq) FROM devices d JOIN device_cursors c "
    "ON c.user_name = d.user_name AND c.device = d.device AND c.conv_id = $1 "
    "WHERE d.user_name = m.user_name) >= $2, false) FROM members m "
    "WHERE m.conv_id = $1 AND m.join_seq <= $2 AND m.user_name <> $3 AND m.user_name > $4 "
    "ORDER BY m.user_name LIMIT $5"};

constexpr Statement kDevices{"own_devices",
                             "SELECT user_name, device, first_seen, last_seen, replay, replay_limit, ack FROM devices "
                             "WHERE user_name = $1 AND device > $2 ORDER BY device LIMIT $3"};

constexpr Statement kProfiles{"profiles",
                              "SELECT a.name, u.name, u.display_name, u.avatar, u.about "
                              "FROM unnest($1::text[]) WITH ORDINALITY AS a (name, n) "
                              "LEFT JOIN users u ON u.name = a.name ORDER BY a.n"};

}  // namespace

std::vector<MemberRow> read_members(PostgresSession& session, ConvId conv, const std::string& behind, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<MemberRow> members;
  for (const auto& row : session.exec(transaction, kMembers, conv, behind, limit)) {
    members.push_back({text(row[0]), text(row[1]), static_cast<Role>(number(row[2])), number(row[3])});
  }
  return members;
}

ReceiptPage read_receipts(PostgresSession& session, const std::string& conv, const std::string& user, Seq seq,
                          const std::string& behind, int limit) {
  pqxx::nontransaction transaction(session.connection());
  const auto seat = read_seat(session, transaction, conv, user);
  if (seq < seat.join_seq || seq <= seat.deleted_to) throw no_such_message(conv, seq);
  const auto found = session.exec(transaction, kSender, seat.conv_id, user, seq);
  if (found.empty()) throw no_such_message(conv, seq);
  const auto sender = text(found[0][0]);
  ReceiptPage page;
  const auto counts = session.exec(transaction, kReadCount, seat.conv_id, seq, sender);
  page.members = number(counts[0][0]);
  page.read = number(counts[0][1]);
  for (const auto& row : session.exec(transaction, kReceipts, seat.conv_id, seq, sender, behind, limit + 1)) {
    if (static_cast<int>(page.rows.size()) == limit) {
      page.more = true;
      break;
    }
    const bool read = row[1].as<bool>();
    page.rows.push_back({text(row[0]), read || row[2].as<bool>(), read});
  }
  return page;
}

std::vector<DeviceRow> read_own_devices(PostgresSession& session, const std::string& user, const std::string& behind,
                                        int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<DeviceRow> devices;
  for (const auto& row : session.exec(transaction, kDevices, user, behind, limit)) devices.push_back(device_of(row));
  return devices;
}

std::vector<Profile> read_profiles(PostgresSession& session, std::span<const std::string> users) {
  ArrayText names;
  for (const auto& user : users) names.add(user);
  pqxx::nontransaction transaction(session.connection());
  std::vector<Profile> profiles;
  for (const auto& row : session.exec(transaction, kProfiles, names.text())) {
    if (row[1].is_null()) throw no_such_user(text(row[0]));
    profiles.push_back({text(row[1]), text(row[2]), text(row[3]), text(row[4])});
  }
  return profiles;
}

}  // namespace chat
