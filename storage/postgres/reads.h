// What the loader and the catch-up read: the bodies of ReadStore, each on an open session.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

// An answer for each name. Without `terms` as AdminStore::find_conversation(), else as ReadStore::load_conversations().
std::vector<std::optional<ConversationState>> read_conversations(PostgresSession& session,
                                                                 std::span<const std::string> names,
                                                                 const LoadTerms* terms);
// The first of the two is the one of that name, whatever their order.
DirectStanding read_standing(PostgresSession& session, pqxx::transaction_base& transaction, const std::string& first,
                             const std::string& second);
std::optional<UserState> read_user(PostgresSession& session, const std::string& name, int recent_limit, bool create);
std::vector<StoredMessage> read_messages_above(PostgresSession& session, std::span<const PageWant> wants, int limit,
                                               std::size_t bytes_max);
std::vector<StoredEvent> read_events_above(PostgresSession& session, ConvId conv, Rev above, int limit);

}  // namespace chat
