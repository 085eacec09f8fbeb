// The schema's versions: what this program carries, built from storage/migrations/NNNN_name.sql.
#pragma once

#include <span>
#include <string_view>

#include "storage/errors.h"

namespace chat {

struct Migration {
  int version;
  std::string_view name;
  std::string_view checksum;  // SHA-256 of the file: an applied migration never changes
  const char* sql;
};

// In order of version, without a hole.
std::span<const Migration> migrations();

int latest_schema_version();

// storage/grants.sql: what each role may do, for a schema that is up to date.
const char* grants_sql();

StoreCorrupt newer_schema(int version);

}  // namespace chat
