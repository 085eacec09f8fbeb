#include "storage/roles.h"

#include "storage/errors.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/postgres/hashed_password.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/session.h"

namespace chat {
namespace {

constexpr const char* kProgram = "mosquitto-chat roles";

// With the migrations' lock: two at once would make a role twice, or take rights away while the other gives them.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(hashtext('mosquitto-chat'), hashtext('migrate'))";

constexpr const char* kMighty = " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)";

std::vector<std::string> missing_roles(pqxx::work& transaction) {
  std::vector<std::string> missing;
  for (const auto role : kProgramRoles) {
    const std::string name(role);
    if (transaction.exec("SELECT 1 FROM pg_roles WHERE rolname = " + transaction.quote(name)).empty()) {
      missing.push_back(name);
    }
  }
  return missing;
}

void none_may_be_mighty(pqxx::work& transaction) {
  for (const auto role : kProgramRoles) {
    const std::string name(role);
    if (!transaction.exec("SELECT 1 FROM pg_roles WHERE rolname = " + transaction.quote(name) + kMighty).empty()) {
      throw StoreRefused("not_allowed", "the role \"" + name +
                                            "\" is there already and is a superuser, or may make roles or databases: "
                                            "a program of mosquitto-chat must not");
    }
  }
}

template <typename Work>
auto guarded(const std::string& conninfo, Work work) {
  try {
    PostgresSession session(conninfo, PostgresSession::Schema::kIgnore);
    return work(session.connection());
  } catch (const StoreError&) {
    throw;
  } catch (const std::exception&) {
    throw_store_error();
  }
}

}  // namespace

std::string roles_sql() {
  std::string sql;
  for (const auto role : kProgramRoles) {
    sql.append("DO $$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '")
        .append(role)
        .append("') THEN\n    CREATE ROLE ")
        .append(role)
        .append(" LOGIN;\n  END IF;\nEND $$;\n");
  }
  return sql;
}

std::vector<std::string> make_roles(const std::string& uri, const std::map<std::string, std::string>& passwords) {
  const auto conninfo = with_defaults(uri, kProgram);
  return guarded(conninfo, [&](pqxx::connection& connection) {
    const auto hashed = hashed_passwords(conninfo, passwords);
    pqxx::work transaction(connection);
    transaction.exec(kLock);
    auto missing = missing_roles(transaction);
    none_may_be_mighty(transaction);
    transaction.exec(roles_sql());
    for (const auto& [role, hash] : hashed) {
      transaction.exec("ALTER ROLE " + transaction.quote_name(role) + " PASSWORD " + transaction.quote(hash));
    }
    transaction.commit();
    return missing;
  });
}

std::vector<std::string> grant_rights(const std::string& uri) {
  return guarded(with_defaults(uri, kProgram), [&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    transaction.exec(kLock);
    auto missing = missing_roles(transaction);
    if (missing.empty()) transaction.exec(grants_sql());
    transaction.commit();
    return missing;
  });
}

}  // namespace chat
