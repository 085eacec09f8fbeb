// The connection string: ours under theirs, whatever form it has.
#include <gtest/gtest.h>

#include "storage/postgres/array_text.h"
#include "storage/postgres/conninfo.h"
#include "storage/postgres/failure.h"
#include "storage/store.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {
namespace {

TEST(Connecting, TheCallersSettingsComeBehindTheDefaults) {
  for (const auto* uri : {"postgresql://u:p@h:1/db?connect_timeout=77", "host=h dbname=db connect_timeout=77"}) {
    const auto text = with_defaults(uri, "x");
    EXPECT_LT(text.find("connect_timeout=5"), text.find("connect_timeout=77")) << text;
    EXPECT_EQ(text.find("connect_timeout=77"), text.rfind("connect_timeout=")) << text;
  }
  EXPECT_EQ(with_defaults("postgresql://h/db", "x").rfind("postgresql://h/db?", 0), 0U);
  EXPECT_EQ(with_defaults("postgres://h/db?", "x").back(), 'x');
}

TEST(Connecting, BothFormsReachTheServerUnderTheGivenName) {
  auto& server = PrivatePostgres::shared();
  const auto uri = server.migrated_database();
  const auto database = uri.substr(14, uri.find('?') - 14);
  const auto named = [&](const std::string& name) {
    return server.number(uri, "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name + "'");
  };
  const std::string odd = "it's 100% \\ odd & so";
  const auto by_uri = open_postgres(uri, odd);
  by_uri->list_users("", 1);
  EXPECT_EQ(named("it''s 100% \\ odd & so"), 1);
  const auto by_words = open_postgres("dbname=" + database + " host=" + server.folder() + " user=postgres", odd);
  by_words->list_users("", 1);
  EXPECT_EQ(named("it''s 100% \\ odd & so"), 2);
  const auto own_name = open_postgres(uri + "&application_name=theirs", "ours");
  own_name->list_users("", 1);
  EXPECT_EQ(named("theirs"), 1);
  EXPECT_EQ(named("ours"), 0);
}

TEST(Connecting, NothingIsConnectedBeforeTheFirstCallAndNoPasswordIsTold) {
  const auto store = open_postgres("postgresql://someone:s3cret@127.0.0.1:1/none", "test");
  try {
    store->list_users("", 1);
    FAIL() << "answered";
  } catch (const StoreUnavailable& error) {
    EXPECT_EQ(std::string(error.what()).find("s3cret"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("127.0.0.1"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(Connecting, MessagesAreOneLineWithoutOurSql) {
  EXPECT_EQ(one_line("ERROR:  no\ttable \"x\"\nDETAIL:  none\n"), "ERROR: no table \"x\" DETAIL: none");
  EXPECT_EQ(one_line("ERROR:  bad\nLINE 1: SELECT\n        ^\n"), "ERROR: bad");
  EXPECT_EQ(one_line(""), "");
}

TEST(Connecting, ArraysQuoteEveryText) {
  ArrayText texts;
  EXPECT_TRUE(texts.empty());
  EXPECT_EQ(texts.text(), "{}");
  for (const auto* value : {"", "null", "a,b", "{}", "\"", "\\", " "}) texts.add(std::string_view(value));
  EXPECT_EQ(texts.text(), R"({"","null","a,b","{}","\"","\\"," "})");
  ArrayText numbers;
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) numbers.add(value);
  EXPECT_EQ(numbers.text(), "{0,-1,9223372036854775807,-9223372036854775808}");
}

}  // namespace
}  // namespace chat::test
