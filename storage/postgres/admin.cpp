// Users, devices and the state of the whole. Conversations and members: admin_members.cpp.
#include "storage/postgres/admin.h"

#include <algorithm>

#include "storage/names.h"
#include "storage/postgres/device_fields.h"
#include "storage/postgres/fields.h"
#include "storage/refusals.h"

namespace chat {
namespace {

constexpr Statement kAddUser{"add_user",
                             "INSERT INTO users (name, created_at) VALUES ($1, chat_now()) "
                             "ON CONFLICT (name) DO NOTHING RETURNING 1"};

constexpr Statement kListUsers{
    "list_users",
    "SELECT u.name, u.created_at, (SELECT count(*) FROM members m WHERE m.user_name = u.name) "
    "FROM users u WHERE u.name > $1 ORDER BY u.name LIMIT $2"};

constexpr Statement kListDevices{
    "list_devices",
    "SELECT user_name, device, first_seen, last_seen, replay, replay_limit, ack FROM devices "
    "WHERE user_name = $1 AND ($2 = '' OR device = $2) ORDER BY device"};

constexpr Statement kSetDevice{
    "set_device",
    "INSERT INTO devices AS d (user_name, device, replay, replay_limit, ack) "
    "SELECT name, $2, nullif($3, '')::smallint, nullif($4, '')::integer, nullif($5, '')::smallint FROM users WHERE "
    "name = $1 "
    "ON CONFLICT (user_name, device) DO UPDATE SET replay = coalesce(excluded.replay, d.replay), "
    "replay_limit = coalesce(excluded.replay_limit, d.replay_limit), ack = coalesce(excluded.ack, d.ack) "
    "RETURNING user_name, device, first_seen, last_seen, replay, replay_limit, ack"};

constexpr Statement kCounts{"counts",
                            "SELECT (SELECT max(version) FROM schema_migrations), (SELECT count(*) FROM users), "
                            "(SELECT count(*) FROM conversations), "
                            "(SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_inherits i JOIN "
                            "pg_class c ON c.oid = i.inhrelid "
                            "WHERE i.inhparent = 'messages'::regclass), (SELECT count(*) FROM commands)"};

constexpr Statement kJournals{"journals",
                              "SELECT id, position, committed_at FROM journals ORDER BY committed_at DESC, id"};

template <typename Value>
std::string number_or_empty(const std::optional<Value>& value) {
  return value ? std::to_string(static_cast<int>(*value)) : std::string();
}

}  // namespace

void insert_user(PostgresSession& session, const std::string& name) {
  if (!valid_user_name(name)) throw bad_user_name(name);
  pqxx::work transaction(session.connection());
  if (session.exec(transaction, kAddUser, name).empty()) throw user_exists(name);
  transaction.commit();
}

std::vector<UserRow> read_users(PostgresSession& session, const std::string& after, int limit) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<UserRow> users;
  for (const auto& row : session.exec(transaction, kListUsers, after, std::max(limit, 0))) {
    users.push_back({text(row[0]), number(row[1]), number(row[2])});
  }
  return users;
}

std::vector<DeviceRow> read_devices(PostgresSession& session, const std::string& user, const std::string& device) {
  pqxx::nontransaction transaction(session.connection());
  std::vector<DeviceRow> devices;
  for (const auto& row : session.exec(transaction, kListDevices, user, device)) devices.push_back(device_of(row));
  return devices;
}

DeviceRow put_device(PostgresSession& session, const std::string& user, const std::string& device,
                     const DeviceSettings& settings) {
  pqxx::nontransaction transaction(session.connection());
  return put_device(session, transaction, user, device, settings);
}

DeviceRow put_device(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& user,
                     const std::string& device, const DeviceSettings& settings) {
  check_device_settings(device, settings);
  const auto rows = session.exec(transaction, kSetDevice, user, device, number_or_empty(settings.replay),
                                 number_or_empty(settings.replay_limit), number_or_empty(settings.ack));
  if (rows.empty()) throw no_such_user(user);
  return device_of(rows[0]);
}

StoreStatus read_status(PostgresSession& session) {
  pqxx::nontransaction transaction(session.connection());
  const auto counts = session.exec(transaction, kCounts);
  const auto row = counts[0];
  StoreStatus status;
  status.schema_version = static_cast<int>(number(row[0]));
  status.users = number(row[1]);
  status.conversations = number(row[2]);
  status.messages = number(row[3]);
  status.commands_waiting = number(row[4]);
  for (const auto& journal : session.exec(transaction, kJournals)) {
    status.journals.push_back({text(journal[0]), static_cast<Position>(number(journal[1])), number(journal[2])});
  }
  return status;
}

}  // namespace chat
