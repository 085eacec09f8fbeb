#include "storage/postgres/session.h"

#include "storage/errors.h"
#include "storage/postgres/months.h"
#include "storage/postgres/schema.h"

namespace chat {
namespace {

// One round trip. Generic plans, no JIT and no parallel workers: every statement is a handful of index lookups. The
// limits end what goes wrong at the server; idle_in_transaction gives our locks back when this machine is the one that
// froze.
constexpr const char* kSettings =
    "SET client_min_messages = warning;"
    "SET default_transaction_isolation = 'read committed';"
    "SET statement_timeout = '30s';"
    "SET lock_timeout = '15s';"
    "SET idle_in_transaction_session_timeout = '60s';"
    "SET jit = off;"
    "SET max_parallel_workers_per_gather = 0;";

constexpr Statement kMakeMonth{"make_month", "SELECT chat_make_month($1)"};

// Answers the schema's version, 0 where there is none.
int set_up(pqxx::transaction_base& transaction) {
  try {
    return transaction.exec(std::string(kSettings) + "SELECT max(version) FROM schema_migrations")[0][0].as<int>(0);
  } catch (const pqxx::undefined_table&) {
    return 0;
  }
}

}  // namespace

PostgresSession::PostgresSession(const std::string& conninfo, Schema schema) : connection_(conninfo) {
  compat::never_reconnect(connection_);
  pqxx::nontransaction transaction(connection_);
  if (schema == Schema::kIgnore) {
    transaction.exec("SET client_min_messages = warning");
    return;
  }
  const int version = set_up(transaction);
  if (version < latest_schema_version()) {
    throw StoreUnavailable("the database has schema version " + std::to_string(version) + ", this program needs " +
                           std::to_string(latest_schema_version()) + ": `chatctl migrate` brings it there");
  }
  if (version > latest_schema_version()) throw newer_schema(version);
}

void PostgresSession::ensure_month(TimeMs time) {
  const int month = month_of(time);
  if (months_.contains(month)) return;
  pqxx::nontransaction transaction(connection_);
  exec(transaction, kMakeMonth, time);
  months_.insert(month);
}

}  // namespace chat
