// What PostgreSQL holds of a conversation, read by plain SQL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/operation_log.h"

namespace chat::test {

struct StoredRow {
  std::string conv;
  std::int64_t seq = 0;
  std::int64_t server_time = 0;
  std::string sender;
  std::string id;
  std::string payload;
};

// In order of seq.
std::vector<StoredRow> stored_messages(Database& database, const std::string& conv);
std::int64_t stored_count(Database& database, const std::string& conv);

// How far a device has come in a conversation, by its `delivered` cursor; -1 where it has none.
std::int64_t stored_delivered(Database& database, const std::string& conv, const std::string& user,
                              const std::string& device);
// How far a user has read in a conversation; -1 where they are no member.
std::int64_t stored_read(Database& database, const std::string& conv, const std::string& user);

// Waits until PostgreSQL holds that many messages of the conversation.
void expect_stored(Database& database, const std::string& conv, std::int64_t count);

// What is wrong with the rows of a workload's conversations, as sentences; empty: guarantees 1 to 3 held.
//  - every acknowledged message of `log` is there once; nothing is there that was not published, or was refused
//  - seq is 1, 2, 3 … in each conversation; server_time never falls
//  - the rows of one sender are in the order in which it published
std::vector<std::string> problems(const OperationLog& log, const std::vector<StoredRow>& rows);

}  // namespace chat::test
