#include "storage/postgres/search_rows.h"

#include "storage/postgres/fields.h"
#include "storage/search_text.h"
#include "storage/search_words.h"

namespace chat {
namespace {

// Locks the mark, and makes it where there is none yet.
constexpr Statement kMark{"search_mark",
                          "INSERT INTO search_progress (conv_id, seq) VALUES ($1, 0) "
                          "ON CONFLICT (conv_id) DO UPDATE SET seq = search_progress.seq RETURNING seq"};

constexpr Statement kErase{"erase_words",
                           "DELETE FROM message_words WHERE server_time = $3 AND conv_id = $1 AND seq = $2"};

constexpr Statement kPut{
    "put_words",
    "INSERT INTO message_words (conv_id, seq, server_time, words) VALUES ($1, $2, $3, $4::text::tsvector)"};

}  // namespace

std::string search_vector(std::string_view text, ConvId conv, std::string_view sender) {
  auto vector = word_vector(text);
  if (!vector.empty()) vector += " " + conversation_word(conv) + " " + sender_word(sender);
  return vector;
}

void rewrite_words(PostgresSession& session, pqxx::work& transaction, const SearchRow& row, std::string_view sender,
                   std::string_view payload) {
  if (number(session.exec(transaction, kMark, row.conv_id)[0][0]) < row.seq) return;
  session.exec(transaction, kErase, row.conv_id, row.seq, row.server_time);
  const auto vector = search_vector(search_text(payload), row.conv_id, sender);
  if (vector.empty()) return;
  session.exec(transaction, kMakeWordsMonth, row.server_time);  // none of its messages may have had words so far
  session.exec(transaction, kPut, row.conv_id, row.seq, row.server_time, vector);
}

}  // namespace chat
