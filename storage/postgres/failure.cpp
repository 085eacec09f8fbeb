#include "storage/postgres/failure.h"

#include <exception>

#include "storage/errors.h"
#include "storage/postgres/pqxx_compat.h"

namespace chat {
namespace {

bool in_class(const std::string& sqlstate, std::string_view prefix) {
  return sqlstate.starts_with(prefix);
}

[[noreturn]] void throw_for_state(const std::string& sqlstate, const std::string& what) {
  if (in_class(sqlstate, "22")) throw StoreRefused("bad_field", what);  // a value: too long, not UTF-8, out of range
  if (in_class(sqlstate, "23")) throw StoreCorrupt(what);               // a constraint
  if (in_class(sqlstate, "P0")) throw StoreCorrupt(what);               // raised by our own functions
  if (sqlstate == "42P01" || sqlstate == "42703" || sqlstate == "42883") {  // a table, column or function is missing
    throw StoreUnavailable(what + " (is the schema up to date? `chatctl migrate` brings it there)");
  }
  // Everything else passes by itself or by a person's hand, and the same call then succeeds: no space, too many
  // connections, shutting down, a standby, a timeout, a missing right.
  throw StoreUnavailable(what);
}

}  // namespace

// Of what the server sends along, the quoted piece of our own SQL ("LINE 1: …" and the mark below it) helps nobody.
std::string one_line(std::string_view message) {
  if (const auto quote = message.find("\nLINE "); quote != std::string_view::npos) message = message.substr(0, quote);
  std::string line;
  for (const char c : message) {
    if (c != '\n' && c != '\t' && c != ' ') {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

void throw_store_error() {
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    const auto what = one_line(error.what());
    throw StoreUnavailable("PostgreSQL: " + (what.empty() ? "the connection was lost" : what));
  } catch (const pqxx::in_doubt_error&) {
    throw StoreUnavailable(
        "PostgreSQL: the connection was lost inside COMMIT; look whether it was done before you repeat it");
  } catch (const pqxx::sql_error& error) {
    throw_for_state(std::string(error.sqlstate()), "PostgreSQL: " + one_line(error.what()));
  } catch (const std::exception& error) {
    throw StoreUnavailable("PostgreSQL: " + one_line(error.what()));
  }
}

}  // namespace chat
