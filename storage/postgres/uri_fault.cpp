#include <libpq-fe.h>

#include <memory>
#include <string>

#include "storage/postgres_uri.h"

namespace chat {
namespace {

constexpr const char* kUnreadable =
    "can't be read (it is not shown, as it may hold a password): it must look like "
    "postgresql://user:password@host:5432/database or host=... dbname=..., and in a URI's password the characters "
    ": / ? # [ ] @ % are written as %3A %2F %3F %23 %5B %5D %40 %25";

// Where a part of a password ends up whose / or @ was not written as %XX.
bool holds_a_stray_part(std::string_view keyword, std::string_view value) {
  if (keyword == "port") return value.find_first_not_of("0123456789,") != std::string_view::npos;
  if (keyword == "host" || keyword == "hostaddr" || keyword == "dbname") {
    return value.find('@') != std::string_view::npos;
  }
  return false;
}

}  // namespace

std::string postgres_uri_fault(std::string_view uri) {
  char* said = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> settings(
      PQconninfoParse(std::string(uri).c_str(), &said), PQconninfoFree);
  if (said != nullptr) PQfreemem(said);
  if (!settings) return kUnreadable;
  for (const auto* setting = settings.get(); setting->keyword != nullptr; ++setting) {
    if (setting->val != nullptr && holds_a_stray_part(setting->keyword, setting->val)) return kUnreadable;
  }
  return {};
}

}  // namespace chat
