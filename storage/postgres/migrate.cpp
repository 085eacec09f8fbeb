// The schema's way up: each migration in a transaction of its own, all of them under one lock that other programs wait
// for.
#include <string>
#include <vector>

#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/fields.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/session.h"
#include "storage/store.h"

namespace chat {
namespace {

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL)";

constexpr Statement kRecord{
    "record_migration",
    "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, now())"};

// Held by the session; a program that dies gives it back with its connection.
void lock(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  transaction.exec("SELECT pg_advisory_lock(hashtext('mosquitto-chat'), hashtext('migrate'))");
  transaction.exec(kTable);
}

// How many of migrations() are there. Throws StoreCorrupt where the database knows others.
std::size_t check_applied(pqxx::connection& connection) {
  pqxx::nontransaction transaction(connection);
  const auto rows = transaction.exec("SELECT version, checksum FROM schema_migrations ORDER BY version");
  std::size_t applied = 0;
  for (const auto& row : rows) {
    const int version = static_cast<int>(number(row[0]));
    if (applied >= migrations().size()) throw newer_schema(version);
    const auto& known = migrations()[applied++];
    if (version != known.version) throw StoreCorrupt("migration " + std::to_string(known.version) + " was left out");
    if (text(row[1]) != known.checksum) {
      throw StoreCorrupt("migration " + std::to_string(version) + " was applied with another text than this program's");
    }
  }
  return applied;
}

void apply(PostgresSession& session, const Migration& migration) {
  pqxx::work transaction(session.connection());
  transaction.exec(migration.sql);
  session.exec(transaction, kRecord, migration.version, std::string(migration.name), std::string(migration.checksum));
  transaction.commit();
}

std::vector<int> migrate(const std::string& conninfo) {
  PostgresSession session(conninfo, PostgresSession::Schema::kIgnore);
  lock(session.connection());
  std::vector<int> versions;
  for (std::size_t i = check_applied(session.connection()); i < migrations().size(); ++i) {
    apply(session, migrations()[i]);
    versions.push_back(migrations()[i].version);
  }
  return versions;
}

}  // namespace

int latest_schema_version() {
  return migrations().back().version;
}

StoreCorrupt newer_schema(int version) {
  return StoreCorrupt("the database has schema version " + std::to_string(version) + ", this program knows " +
                      std::to_string(latest_schema_version()) + ": a newer program is needed");
}

std::vector<int> migrate_postgres(const std::string& uri) {
  try {
    return migrate(with_defaults(uri, "mosquitto-chat migrate"));
  } catch (const StoreError&) {
    throw;
  } catch (const std::exception&) {
    throw_store_error();
  }
}

}  // namespace chat
