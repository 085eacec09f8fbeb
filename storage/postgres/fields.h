// Fields of a result as the values of types.h. NULL reads as 0 or empty, which is what types.h uses for "none".
#pragma once

#include <charconv>
#include <string>

#include "storage/errors.h"
#include "storage/postgres/pqxx_compat.h"
#include "storage/types.h"
#include "storage/uuid.h"

namespace chat {

inline std::int64_t number(const compat::Field& field) {
  std::int64_t value = 0;
  if (!field.is_null()) std::from_chars(field.c_str(), field.c_str() + field.size(), value);
  return value;
}

inline std::string text(const compat::Field& field) {
  return field.is_null() ? std::string() : std::string(field.c_str(), field.size());
}

inline Uuid uuid(const compat::Field& field) {
  const auto value = parse_uuid({field.c_str(), field.size()});
  if (!value) throw StoreCorrupt("\"" + text(field) + "\" is not a UUID");
  return *value;
}

}  // namespace chat
