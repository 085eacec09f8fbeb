// Which words a text has, and which are asked for.
#include <gtest/gtest.h>

#include <random>

#include "storage/search_text.h"
#include "storage/search_words.h"
#include "tests/support/seed.h"

namespace chat {
namespace {

std::string query(std::string_view words) {
  return word_query(words).value_or("none");
}

TEST(SearchWords, LieBetweenWhatIsNeitherLetterNorDigit) {
  EXPECT_EQ(word_vector("Who brings the cake?"), "'who' 'brings' 'the' 'cake'");
  EXPECT_EQ(word_vector("www.example.com/a_b-c don't 3.14"), "'www' 'example' 'com' 'a' 'b' 'c' 'don' 't' '3' '14'");
  EXPECT_EQ(word_vector(" '\"\\:;!?&|()<->* \xF0\x9F\x91\x8D "), "");
  EXPECT_EQ(word_vector(""), "");
  EXPECT_EQ(query("the 'cake':* & !lie"), "'the' & 'cake' & 'lie'");
  EXPECT_EQ(query("?!"), "none");
}

TEST(SearchWords, HaveNeitherCaseNorWidthNorAccents) {
  EXPECT_EQ(word_vector("RÉSUMÉ re\u0301sume\u0301 Straße ÆØÅ"), "'resume' 'resume' 'strasse' 'æøa'");
  EXPECT_EQ(word_vector("ПРИВЕТ ёж ΆΛΦΑ İstanbul"), "'привет' 'еж' 'αλφα' 'istanbul'");
  EXPECT_EQ(word_vector("ＡＢＣ１２ ﬁne"), "'abc12' 'fine'");
  EXPECT_EQ(word_vector("soft\u00ADhyphen zero\u200Bwidth"), "'softhyphen' 'zerowidth'");
  EXPECT_EQ(word_vector("हिन्दी"), "'हिन्दी'") << "an Indian vowel sign is no accent";
}

TEST(SearchWords, ScriptsWithoutSpacesAreTakenInPairs) {
  EXPECT_EQ(word_vector("今天天气"), "'今' '今天':1 '天' '天天':2 '天' '天气':3 '气'");
  EXPECT_EQ(query("天气"), "'天气'");
  EXPECT_EQ(query("今天天"), "('今天' <-> '天天')");
  EXPECT_EQ(query("气"), "'气'");
  EXPECT_EQ(query("iPhone手机 2024年"), "'iphone' & '手机' & '2024' & '年'");
  EXPECT_EQ(query("학교에 カラー ﾊﾟﾝ ไทย"), "('학교' <-> '교에') & ('カラ' <-> 'ラー') & 'パン' & ('ไท' <-> 'ทย')");
  EXPECT_EQ(query("ば") == query("は"), false) << "a Japanese mark makes another letter";
}

// Between two runs a place is left out: 天气 is not in "今天。气温".
TEST(SearchWords, PairsOfTwoRunsDoNotFollowOneAnother) {
  EXPECT_EQ(word_vector("今天,气温高"), "'今' '今天':1 '天' '气' '气温':3 '温' '温高':4 '高'");
}

TEST(SearchWords, OfALongTextItsBeginning) {
  std::string chinese;
  for (int i = 0; i < 20'000; ++i) chinese += "天";
  EXPECT_EQ(word_vector(chinese).find(":16000 "), std::string::npos);
  EXPECT_NE(word_vector(chinese).find(":15999 "), std::string::npos);
  EXPECT_EQ(word_vector(std::string(1000, 'a')), "'" + std::string(64, 'a') + "'");
  EXPECT_EQ(query(std::string(1000, 'a')), "'" + std::string(64, 'a') + "'");
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += std::to_string(i) + " ";
  EXPECT_LT(word_vector(many).size(), kVectorBytesMax + 1000);
}

// Whatever bytes: nothing but words in quotation marks, pairs with places, and blanks.
TEST(SearchWords, NoBytesBreakOutOfTheirQuotationMarks) {
  auto random = test::generator("words of any bytes");
  constexpr char kOdd[] = "'\\ :,&|!()<->*a天";
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (auto& byte : bytes)
      byte = static_cast<char>(random() % 3 == 0 ? random() % 256 : kOdd[random() % (sizeof kOdd - 1)]);
    bool inside = false;
    for (const char c : word_vector(bytes)) {
      if (c == '\'') {
        inside = !inside;
      } else if (inside) {
        ASSERT_EQ(std::string_view("\\ :,&|!()<->*").find(c), std::string_view::npos) << word_vector(bytes);
      } else {
        ASSERT_NE(std::string_view(" :0123456789").find(c), std::string_view::npos) << word_vector(bytes);
      }
    }
    ASSERT_FALSE(inside);
  }
}

TEST(SearchText, IsWhatPeopleRead) {
  EXPECT_EQ(search_text(R"({"id":"1","body":"caf\u00e9"})"), "café");
  EXPECT_EQ(search_text(R"({"type":"text","body":{"text":"a","caption":"b","url":"c","name":"d"}})"), "a\nb\nd");
  EXPECT_EQ(search_text(R"({"type":"image","body":"https://example.com/x.png"})"), "");
  EXPECT_EQ(search_text(R"({"type":"image","body":{"url":"x","caption":"the cake"}})"), "the cake");
  EXPECT_EQ(search_text(R"({"recalled":true,"by":"alice","at":5})"), "");
  for (const char* nothing :
       {"", "{", R"({"body":5})", R"({"body":{"text":5}})", R"({"body":["a"]})", R"({"body":null})"}) {
    EXPECT_EQ(search_text(nothing), "") << nothing;
  }
}

}  // namespace
}  // namespace chat
