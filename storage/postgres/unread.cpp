#include "storage/unread.h"

#include "storage/postgres/array_text.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/link.h"
#include "storage/postgres/notice_feed.h"

namespace chat {
namespace {

// How a member stands. As chat_standings() does, chat_unread() is asked only where it can differ from a subtraction.
constexpr Statement kOfMembers{
    "unread_of_members",
    "SELECT u.conv_id, u.user_name, m.conv_id IS NOT NULL, c.name, s.unread, "
    "CASE WHEN s.unread > 0 THEN chat_mentions(m.user_name, m.conv_id, chat_floor(m), $1) ELSE 0 END, m.muted, "
    "CASE WHEN s.unread > 0 THEN (SELECT min(v.void_at) FROM voids v WHERE v.conv_id = m.conv_id "
    "AND v.last_seq > chat_floor(m) AND v.void_at > $1) END, greatest(c.last_time, m.joined_at) "
    "FROM unnest($2::bigint[], $3::text[]) AS u (conv_id, user_name) "
    "LEFT JOIN conversations c ON c.id = u.conv_id "
    "LEFT JOIN members m ON m.conv_id = u.conv_id AND m.user_name = u.user_name "
    "LEFT JOIN LATERAL (SELECT CASE WHEN c.last_seq <= chat_floor(m) THEN 0 "
    "WHEN EXISTS (SELECT FROM voids v WHERE v.conv_id = c.id AND v.last_seq > chat_floor(m)) "
    "OR EXISTS (SELECT FROM hidden_messages h WHERE h.user_name = m.user_name AND h.conv_id = c.id "
    "AND h.seq > chat_floor(m)) THEN chat_unread(m, c.last_seq, $1) ELSE c.last_seq - chat_floor(m) END AS unread) s "
    "ON m.conv_id IS NOT NULL"};

// The same of all of a user's conversations, where what lowers a count is looked up once for all of them.
constexpr Statement kOfUser{
    "unread_of_user",
    "WITH s AS MATERIALIZED (SELECT * FROM chat_all_standings($2, $1)), "
    "changing AS MATERIALIZED (SELECT v.conv_id, min(v.void_at) AS at FROM s JOIN voids v "
    "ON v.conv_id = s.conv_id AND v.last_seq > s.floor_seq WHERE s.unread > 0 AND v.void_at > $1 GROUP BY v.conv_id) "
    "SELECT s.conv_id, $2, true, c.name, s.unread, "
    "CASE WHEN s.unread > 0 THEN chat_mentions($2, s.conv_id, s.floor_seq, $1) ELSE 0 END, s.muted, changing.at, "
    "s.active "
    "FROM s JOIN conversations c ON c.id = s.conv_id LEFT JOIN changing ON changing.conv_id = s.conv_id"};

std::vector<UnreadStanding> standings(const pqxx::result& rows) {
  std::vector<UnreadStanding> all;
  all.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) {
    auto& one = all.emplace_back();
    one.key = {number(row[0]), text(row[1])};
    one.member = row[2].as<bool>();
    one.row = {text(row[3]), number(row[4]), number(row[5]), row[6].as<bool>(false)};
    one.changes_at = number(row[7]);
    one.active = one.member ? number(row[8]) : 0;
  }
  return all;
}

class PostgresUnread : public UnreadStore {
 public:
  explicit PostgresUnread(std::string conninfo) : link_(std::move(conninfo)) {}

  std::vector<UnreadStanding> of_user(const std::string& user, TimeMs now) override {
    return link_.run([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      return standings(session.exec(transaction, kOfUser, now, user));
    });
  }

  std::vector<UnreadStanding> of_members(std::span<const MemberKey> keys, TimeMs now) override {
    ArrayText convs;
    ArrayText users;
    for (const auto& key : keys) {
      convs.add(key.conv_id);
      users.add(key.user);
    }
    return link_.run([&](PostgresSession& session) {
      pqxx::nontransaction transaction(session.connection());
      return standings(session.exec(transaction, kOfMembers, now, convs.text(), users.text()));
    });
  }

  void interrupt() noexcept override { link_.interrupt(); }

 private:
  Link link_;
};

class PostgresActivityFeed : public ActivityFeed {
 public:
  explicit PostgresActivityFeed(std::string conninfo) : notices_(std::move(conninfo), "chat_activity") {}

  Activity wait(std::chrono::milliseconds timeout) override { return read(notices_.wait(timeout)); }
  Activity so_far() override { return read(notices_.so_far()); }

  void interrupt() noexcept override { notices_.interrupt(); }

 private:
  static Activity read(const std::optional<std::vector<std::string>>& notices) {
    Activity activity;
    activity.everything = !notices;
    if (notices) {
      for (const auto& notice : *notices) read_activity(notice, &activity);
    }
    return activity;
  }

  NoticeFeed notices_;
};

}  // namespace

std::unique_ptr<UnreadStore> open_unread_store(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresUnread>(with_defaults(uri, application_name));
}

std::unique_ptr<ActivityFeed> open_activity_feed(const std::string& uri, std::string_view application_name) {
  return std::make_unique<PostgresActivityFeed>(with_defaults(uri, application_name));
}

}  // namespace chat
