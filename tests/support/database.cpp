#include "tests/support/database.h"

#include <stdexcept>
#include <utility>

namespace chat::test {

Database::Database(std::string uri) : uri_(std::move(uri)) {}

pqxx::connection& Database::connection() {
  if (!connection_ || !connection_->is_open()) connection_ = std::make_unique<pqxx::connection>(uri_);
  return *connection_;
}

std::vector<Row> Database::query(const std::string& sql) {
  try {
    pqxx::nontransaction work(connection());
    std::vector<Row> rows;
    for (const auto& row : work.exec(sql)) {
      Row fields;
      for (const auto& field : row) fields.emplace_back(field.is_null() ? "" : field.c_str());
      rows.push_back(std::move(fields));
    }
    return rows;
  } catch (const pqxx::broken_connection&) {
    connection_.reset();
    throw;
  }
}

std::int64_t Database::number(const std::string& sql) {
  const auto rows = query(sql);
  if (rows.size() != 1 || rows[0].size() != 1) throw std::runtime_error("not one value: " + sql);
  return std::stoll(rows[0][0]);
}

std::string Database::quote(const std::string& text) {
  pqxx::nontransaction work(connection());
  return work.quote(text);
}

TableLock::TableLock(const std::string& uri, const std::string& table)
    : connection_(uri), transaction_(std::make_unique<pqxx::work>(connection_)) {
  transaction_->exec("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
}

void TableLock::release() {
  if (transaction_) transaction_->abort();
  transaction_.reset();
}

}  // namespace chat::test
