// What a client knows of its unread messages from chat/u/{user}/unread and /unread/total, as topics.md has it keep
// them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/support/chat_client.h"
#include "tests/support/database.h"

namespace chat::test {

struct UnreadView {
  std::map<std::string, nlohmann::json> rows;  // by conversation; those with unread messages
  std::int64_t total = -1;                     // as the latest digest says; -1: none came
  std::int64_t badge = -1;                     // as the latest number says
  int digests = 0;                             // that came
  int whole = 0;                               // first pages of digests that replace what was known

  std::int64_t unread(const std::string& conv) const;
  std::int64_t mentions(const std::string& conv) const;
  // All three ways to the total agree, and this is it.
  bool is(std::int64_t expected) const;
};

UnreadView unread_view(ChatClient& client);

// Waits until the client's total is that. Throws with what it is.
void expect_total(ChatClient& client, std::int64_t total);

// The total by PostgreSQL's own reckoning, from the messages themselves.
std::int64_t counted_total(Database& database, const std::string& user);

}  // namespace chat::test
