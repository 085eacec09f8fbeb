# Writes the migrations and the grants into one C++ file: cmake -DOUTPUT=<file> -DFILES=<list of .sql>
# -DGRANTS=<file> -P embed.cmake
set(body "")
set(expected 1)
foreach(file IN LISTS FILES)
  get_filename_component(stem "${file}" NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is called NNNN_name.sql")
  endif()
  set(name "${CMAKE_MATCH_2}")
  math(EXPR version "1${CMAKE_MATCH_1} - 10000")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: the next migration is number ${expected}")
  endif()
  math(EXPR expected "${expected} + 1")
  file(SHA256 "${file}" checksum)
  file(READ "${file}" sql)
  string(APPEND body "    {${version}, \"${name}\", \"${checksum}\", R\"~sql~(${sql})~sql~\"},\n")
endforeach()
file(READ "${GRANTS}" grants)
file(WRITE "${OUTPUT}" "// Made by storage/migrations/embed.cmake.
#include \"storage/postgres/schema.h\"

namespace chat {
namespace {

constexpr Migration kMigrations[] = {
${body}};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

const char* grants_sql() { return R\"~sql~(${grants})~sql~\"; }

}  // namespace chat
")
