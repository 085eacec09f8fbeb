#include "storage/presence.h"

#include "storage/postgres/array_text.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/link.h"

namespace chat {
namespace {

// A session was here at least until its bridge was last heard of, or its device was opened.
constexpr Statement kKept{"kept_presence",
                          "SELECT s.user_name, s.device, bool_or(s.told), greatest(max(h.at), max(d.last_seen)) FROM ("
                          "SELECT user_name, device, true AS told FROM presence_sessions UNION ALL "
                          "SELECT DISTINCT user_name, device, false FROM presence_watches) s CROSS JOIN "
                          "presence_heard h LEFT JOIN devices d ON d.user_name = s.user_name AND d.device = s.device "
                          "GROUP BY 1, 2"};
constexpr Statement kHeard{"presence_heard", "UPDATE presence_heard SET at = $1"};

constexpr Statement kBegun{"presence_begun",
                           "INSERT INTO presence_sessions (user_name, device) "
                           "SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING"};

// $1 users, $2 devices, $3 when they ended, $4 until when their watches count as theirs
#define CHAT_ENDED "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS e (user_name, device, at, until) "
constexpr Statement kEnded{"presence_ended", "DELETE FROM presence_sessions s USING " CHAT_ENDED
                                             "WHERE s.user_name = e.user_name AND s.device = e.device"};
constexpr Statement kEndWatches{"presence_end_watches",
                                "DELETE FROM presence_watches w USING " CHAT_ENDED
                                "WHERE w.user_name = e.user_name AND w.device = e.device AND w.at <= e.until"};
constexpr Statement kSeenDevices{
    "presence_seen_devices",
    "UPDATE devices d SET last_seen = e.at FROM " CHAT_ENDED
    "WHERE d.user_name = e.user_name AND d.device = e.device AND d.first_seen > 0 AND d.last_seen < e.at"};
constexpr Statement kSeenUsers{
    "presence_seen_users",
    "UPDATE users u SET last_seen = l.at FROM (SELECT e.user_name, max(e.at) AS at FROM " CHAT_ENDED
    "GROUP BY 1) l WHERE u.name = l.user_name AND u.last_seen < l.at"};
#undef CHAT_ENDED

constexpr Statement kWatchers{"presence_watchers",
                              "SELECT w.user_name, w.watched FROM (SELECT DISTINCT user_name, watched FROM "
                              "presence_watches WHERE watched = ANY ($1::text[])) w "
                              "WHERE chat_may_see(w.user_name, w.watched) ORDER BY 2, 1"};

// A device's opening is a sighting too: of a time when no bridge was there. One of just now is not: that of a session
// whose end is known may be stored a moment behind it.
constexpr Statement kSightings{
    "presence_sightings",
    "SELECT a.name, u.name IS NOT NULL, u.name IS NOT NULL AND chat_may_see($1, u.name), "
    "CASE WHEN o.opened > u.last_seen + 60000 THEN o.opened ELSE u.last_seen END "
    "FROM unnest($2::text[]) WITH ORDINALITY AS a (name, n) LEFT JOIN users u ON u.name = a.name "
    "CROSS JOIN LATERAL (SELECT max(d.last_seen) AS opened FROM devices d WHERE d.user_name = a.name) o ORDER BY a.n"};

constexpr Statement kWatch{"presence_watch",
                           "INSERT INTO presence_watches (watched, user_name, device, at) "
                           "SELECT DISTINCT w.name, $1, $2, $4::bigint FROM unnest($3::text[]) AS w (name) "
                           "ON CONFLICT (watched, user_name, device) DO UPDATE SET at = excluded.at"};
constexpr Statement kUnwatch{
    "presence_unwatch",
    "DELETE FROM presence_watches WHERE user_name = $1 AND device = $2 AND watched = ANY ($3::text[])"};

void keep_ended(PostgresSession& session, pqxx::transaction_base& transaction, std::span<const EndedSession> ended) {
  ArrayText users;
  ArrayText devices;
  ArrayText times;
  ArrayText untils;
  for (const auto& one : ended) {
    users.add(one.user);
    devices.add(one.device);
    times.add(one.at);
    untils.add(one.watches_until);
  }
  for (const auto& statement : {kEnded, kEndWatches, kSeenDevices, kSeenUsers}) {
    session.exec(transaction, statement, users.text(), devices.text(), times.text(), untils.text());
  }
}

class PostgresPresence : public PresenceStore {
 public:
  explicit PostgresPresence(const std::string& conninfo) : link_(conninfo) {}

  std::vector<KeptSession> kept() override {
    return link_.run([](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      std::vector<KeptSession> kept;
      for (const auto& row : s.exec(transaction, kKept)) {
        kept.push_back({text(row[0]), text(row[1]), row[2].as<bool>(), number(row[3])});
      }
      return kept;
    });
  }

  void keep(std::span<const SessionName> begun, std::span<const EndedSession> ended, TimeMs now) override {
    link_.run([&](PostgresSession& s) {
      pqxx::work transaction(s.connection());
      if (!begun.empty()) {
        ArrayText users;
        ArrayText devices;
        for (const auto& one : begun) {
          users.add(one.user);
          devices.add(one.device);
        }
        s.exec(transaction, kBegun, users.text(), devices.text());
      }
      if (!ended.empty()) keep_ended(s, transaction, ended);
      s.exec(transaction, kHeard, now);
      transaction.commit();
    });
  }

  std::vector<Watch> watchers(std::span<const std::string> users) override {
    return link_.run([&](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      std::vector<Watch> watches;
      for (const auto& row : s.exec(transaction, kWatchers, array_of(users).text())) {
        watches.push_back({text(row[0]), text(row[1])});
      }
      return watches;
    });
  }

  std::vector<Sighting> sightings(const std::string& asker, std::span<const std::string> users) override {
    return link_.run([&](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      std::vector<Sighting> sightings;
      for (const auto& row : s.exec(transaction, kSightings, asker, array_of(users).text())) {
        sightings.push_back({text(row[0]), row[1].as<bool>(), row[2].as<bool>(), number(row[3])});
      }
      return sightings;
    });
  }

  void watch(const SessionName& session, std::span<const std::string> users, TimeMs now) override {
    link_.run([&](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      s.exec(transaction, kWatch, session.user, session.device, array_of(users).text(), now);
    });
  }

  void unwatch(const SessionName& session, std::span<const std::string> users) override {
    link_.run([&](PostgresSession& s) {
      pqxx::nontransaction transaction(s.connection());
      s.exec(transaction, kUnwatch, session.user, session.device, array_of(users).text());
    });
  }

  void interrupt() noexcept override { link_.interrupt(); }

 private:
  Link link_;
};

}  // namespace

std::unique_ptr<PresenceStore> open_postgres_presence(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresPresence>(with_defaults(uri, application_name));
}

}  // namespace chat
