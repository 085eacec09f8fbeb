// One open connection to PostgreSQL with our settings, and what has been prepared on it.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "storage/postgres/pqxx_compat.h"
#include "storage/types.h"

namespace chat {

// A statement that is prepared at its first use on a session. Both strings live as long as the program.
struct Statement {
  const char* name;
  const char* sql;
};

class PostgresSession {
 public:
  enum class Schema { kCheck, kIgnore };

  // Connects. With Schema::kCheck throws StoreUnavailable where the schema is older than this program, StoreCorrupt
  // where it is newer. Throws libpqxx's exceptions otherwise, as all methods do.
  PostgresSession(const std::string& conninfo, Schema schema);

  pqxx::connection& connection() { return connection_; }
  bool alive() { return connection_.is_open(); }
  int socket() { return connection_.sock(); }

  template <typename... Args>
  pqxx::result exec(pqxx::transaction_base& transaction, const Statement& statement, const Args&... args) {
    if (prepared_.insert(statement.name).second) compat::prepare(connection_, statement.name, statement.sql);
    return compat::exec_prepared(transaction, statement.name, args...);
  }

  // Makes the partition that holds `time` unless this session knows it to be there. Outside of any transaction.
  void ensure_month(TimeMs time);
  // For when a partition that was known has gone.
  void forget_months() { months_.clear(); }

 private:
  pqxx::connection connection_;
  std::set<std::string_view> prepared_;
  std::set<int> months_;  // years * 12 + month
};

}  // namespace chat
