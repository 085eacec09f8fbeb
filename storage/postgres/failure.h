// Turns what libpqxx throws into the errors of storage/errors.h.
#pragma once

#include <string>
#include <string_view>

namespace chat {

// Throws the store's error for the exception in flight, which must not be a StoreError: call it in a catch block.
//   the connection is lost or can't be opened, the server is short of something, a deadlock, a timeout →
//   StoreUnavailable a value that PostgreSQL can't take → StoreRefused, bad_field a constraint of ours is broken →
//   StoreCorrupt
[[noreturn]] void throw_store_error();

// An error message in one line, as sentences are logged. libpq's messages hold host, port, user and database, no
// password.
std::string one_line(std::string_view message);

}  // namespace chat
