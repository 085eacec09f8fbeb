// The rows of message_words when a message changes: within the transaction that changes it.
#pragma once

#include <string>

#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

struct SearchRow {
  ConvId conv_id = 0;
  Seq seq = 0;
  TimeMs server_time = 0;
};

// Before words of that time are written: none of its month's messages may have had any so far.
inline constexpr Statement kMakeWordsMonth{"words_month", "SELECT chat_make_words_month($1)"};

// The words of a message whose payload holds `text`, as message_words keeps them; empty: there is nothing to find.
std::string search_vector(std::string_view text, ConvId conv, std::string_view sender);

// Replaces the words of a message that is indexed already by those of its new payload, which may have none. One that is
// not is left to the indexer, which waits for this transaction and then reads what it left.
void rewrite_words(PostgresSession& session, pqxx::work& transaction, const SearchRow& row, std::string_view sender,
                   std::string_view payload);

}  // namespace chat
