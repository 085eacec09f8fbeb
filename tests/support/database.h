// Looks into PostgreSQL past the store's own code, so that a test of the store's promises doesn't believe the store.
#pragma once

#include <cstdint>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace chat::test {

using Row = std::vector<std::string>;  // a NULL is an empty text

class Database {
 public:
  explicit Database(std::string uri);

  // Runs one statement outside a transaction. Connects anew where the connection was lost before.
  std::vector<Row> query(const std::string& sql);
  std::int64_t number(const std::string& sql);  // the one value of a one-row answer
  std::string quote(const std::string& text);   // as an SQL literal

 private:
  pqxx::connection& connection();

  std::string uri_;
  std::unique_ptr<pqxx::connection> connection_;
};

// Holds an ACCESS EXCLUSIVE lock on a table until release() or its end: PostgreSQL answers, but nobody gets at the
// table.
class TableLock {
 public:
  TableLock(const std::string& uri, const std::string& table);
  void release();

 private:
  pqxx::connection connection_;
  std::unique_ptr<pqxx::work> transaction_;
};

}  // namespace chat::test
