// libpq itself: libpqxx 6 has no way to it but the outdated MD5.
#include "storage/postgres/hashed_password.h"

#include <libpq-fe.h>

#include <memory>

#include "storage/errors.h"
#include "storage/postgres/failure.h"

namespace chat {

std::map<std::string, std::string> hashed_passwords(const std::string& conninfo,
                                                    const std::map<std::string, std::string>& passwords) {
  std::map<std::string, std::string> hashed;
  if (passwords.empty()) return hashed;
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(conninfo.c_str()), PQfinish);
  const auto failure = [&] {
    return StoreUnavailable("PostgreSQL: " + one_line(connection ? PQerrorMessage(connection.get()) : "out of memory"));
  };
  if (PQstatus(connection.get()) != CONNECTION_OK) throw failure();
  for (const auto& [role, password] : passwords) {
    const std::unique_ptr<char, decltype(&PQfreemem)> hash(
        PQencryptPasswordConn(connection.get(), password.c_str(), role.c_str(), "scram-sha-256"), PQfreemem);
    if (!hash) throw failure();
    hashed[role] = hash.get();
  }
  return hashed;
}

}  // namespace chat
