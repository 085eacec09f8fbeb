// The words by which a message is found: the same for what is kept and for what is asked.
//
// A word is what stands between everything that is neither letter nor digit, without regard to case, to width (ＡＢＣ
// is abc) and to accents (résumé is resume). Scripts that put no spaces between words (Chinese, Japanese, Korean, Thai,
// Lao, Khmer, Burmese) are taken character by character and pair by pair: what is asked in them is found wherever these
// characters follow one another.
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "storage/types.h"

namespace chat {

inline constexpr int kWordLettersMax = 64;                  // what a word has beyond that does not tell it from another
inline constexpr int kPairsMax = 16'000;                    // of one text; PostgreSQL knows 16,383 places in one
inline constexpr std::size_t kVectorBytesMax = 512u << 10;  // PostgreSQL takes a megabyte

// A text's words in the text form of PostgreSQL's tsvector; empty where it has none. Of a text beyond the limits above
// its beginning. Bytes that are not UTF-8 separate words.
std::string word_vector(std::string_view text);

// What finds the texts that have all words of `words`, in the text form of tsquery. nullopt: it has none.
std::optional<std::string> word_query(std::string_view words);

// The words that say where a message is, and who sent it. No text has them.
std::string conversation_word(ConvId conv);
std::string sender_word(std::string_view user);

}  // namespace chat
