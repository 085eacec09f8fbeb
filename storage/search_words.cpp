#include "storage/search_words.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <stdexcept>
#include <vector>

namespace chat {
namespace {

constexpr UChar32 kAccentsBegin = 0x0300;  // combining marks of Latin, Greek and Cyrillic letters
constexpr UChar32 kAccentsEnd = 0x0370;

const icu::Normalizer2& checked(const icu::Normalizer2* normalizer, UErrorCode status) {
  if (U_FAILURE(status) || normalizer == nullptr) throw std::runtime_error("ICU has no data for normalization");
  return *normalizer;
}

icu::UnicodeString normalized(const icu::Normalizer2* (*form)(UErrorCode&), const icu::UnicodeString& text) {
  UErrorCode status = U_ZERO_ERROR;
  const auto& normalizer = checked(form(status), status);
  auto result = normalizer.normalize(text, status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU can't normalize a text");
  return result;
}

// Without case, width and accents. Only the common accents go: a mark of another script (a Japanese or an Indian one)
// makes another letter.
icu::UnicodeString folded(std::string_view text) {
  const auto given = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  const auto apart =
      normalized(&icu::Normalizer2::getNFDInstance, normalized(&icu::Normalizer2::getNFKCCasefoldInstance, given));
  icu::UnicodeString bare;
  for (int32_t i = 0; i < apart.length(); i = apart.moveIndex32(i, 1)) {
    const UChar32 c = apart.char32At(i);
    if (c < kAccentsBegin || c >= kAccentsEnd) bare.append(c);
  }
  return normalized(&icu::Normalizer2::getNFCInstance, bare);
}

bool is_mark(UChar32 c) {
  return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

bool in_word(UChar32 c) {
  return u_isalnum(c) != 0 || is_mark(c);
}

// Of a script that puts no spaces between words. (Korean does, but its words have endings.)
bool unspaced(UChar32 c) {
  if (c < 0x0E00) return false;
  for (const auto script : {USCRIPT_HAN, USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_HANGUL, USCRIPT_BOPOMOFO,
                            USCRIPT_THAI, USCRIPT_LAO, USCRIPT_KHMER, USCRIPT_MYANMAR}) {
    if (uscript_hasScript(c, script) != 0) return true;
  }
  return false;
}

std::string utf8(const icu::UnicodeString& text) {
  std::string bytes;
  text.toUTF8String(bytes);
  return bytes;
}

// Nothing in a word needs an escape: it has letters, digits and marks only.
std::string quoted(const std::string& word) {
  return "'" + word + "'";
}

// Calls `word` with each word, and `run` with the characters of each run of an unspaced script, until one says false.
template <typename OnWord, typename OnRun>
void each_word(std::string_view text, OnWord word, OnRun run) {
  const auto letters = folded(text);
  for (int32_t i = 0; i < letters.length();) {
    const UChar32 first = letters.char32At(i);
    if (!in_word(first) || (is_mark(first) && !unspaced(first))) {
      i = letters.moveIndex32(i, 1);
      continue;
    }
    const bool is_run = unspaced(first);
    std::vector<std::string> characters;
    icu::UnicodeString whole;
    int count = 0;
    for (; i < letters.length(); i = letters.moveIndex32(i, 1)) {
      const UChar32 c = letters.char32At(i);
      if (!in_word(c) || unspaced(c) != is_run) break;
      if (is_run) {
        characters.push_back(utf8(icu::UnicodeString(c)));
      } else if (count++ < kWordLettersMax) {
        whole.append(c);
      }
    }
    if (!(is_run ? run(characters) : word(utf8(whole)))) return;
  }
}

}  // namespace

std::string word_vector(std::string_view text) {
  std::string vector;
  int place = 0;  // of a pair: pairs that follow one another have places that do
  const auto add = [&vector](const std::string& word) {
    if (!vector.empty()) vector.push_back(' ');
    vector += quoted(word);
  };
  each_word(
      text,
      [&](const std::string& word) {
        add(word);
        return vector.size() < kVectorBytesMax;
      },
      [&](const std::vector<std::string>& characters) {
        for (std::size_t i = 0; i < characters.size(); ++i) {
          if (++place > kPairsMax || vector.size() >= kVectorBytesMax) return false;
          add(characters[i]);
          if (i + 1 == characters.size()) break;
          add(characters[i] + characters[i + 1]);
          vector += ":" + std::to_string(place);
        }
        return true;
      });
  return vector;
}

std::optional<std::string> word_query(std::string_view words) {
  std::string query;
  const auto add = [&query](const std::string& term) {
    if (!query.empty()) query += " & ";
    query += term;
    return true;
  };
  each_word(
      words, [&](const std::string& word) { return add(quoted(word)); },
      [&](const std::vector<std::string>& characters) {
        if (characters.size() == 1) return add(quoted(characters.front()));
        std::string pairs;
        for (std::size_t i = 0; i + 1 < characters.size(); ++i) {
          if (i > 0) pairs += " <-> ";
          pairs += quoted(characters[i] + characters[i + 1]);
        }
        return add(characters.size() == 2 ? pairs : "(" + pairs + ")");
      });
  if (query.empty()) return std::nullopt;
  return query;
}

std::string conversation_word(ConvId conv) {
  return quoted("/" + std::to_string(conv));
}

std::string sender_word(std::string_view user) {
  return quoted("@" + std::string(user));
}

}  // namespace chat
