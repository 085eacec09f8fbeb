// The schema's way up, by several programs at once, and what a program says of a schema that is not its own.
#include <gtest/gtest.h>

#include <thread>

#include "storage/store.h"
#include "tests/storage/private_postgres.h"

namespace chat::test {
namespace {

class Migrate : public testing::Test {
 protected:
  PrivatePostgres& server_ = PrivatePostgres::shared();
  const std::string uri_ = server_.empty_database();
};

TEST_F(Migrate, EveryMigrationIsAppliedOnce) {
  const auto applied = migrate_postgres(uri_);
  ASSERT_FALSE(applied.empty());
  EXPECT_EQ(applied.front(), 1);
  EXPECT_EQ(applied.back(), latest_schema_version());
  EXPECT_EQ(applied.size(), static_cast<std::size_t>(latest_schema_version()));
  EXPECT_TRUE(migrate_postgres(uri_).empty());
  EXPECT_EQ(open_postgres(uri_, "test")->status().schema_version, latest_schema_version());
}

TEST_F(Migrate, FourProgramsAtOnceApplyItOnce) {
  std::vector<std::vector<int>> applied(4);
  std::vector<std::thread> threads;
  for (auto& mine : applied) threads.emplace_back([&, this] { mine = migrate_postgres(uri_); });
  for (auto& thread : threads) thread.join();
  std::vector<int> all;
  for (const auto& mine : applied) all.insert(all.end(), mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(latest_schema_version()));
  EXPECT_NO_THROW(open_postgres(uri_, "test")->add_user("alice"));
}

TEST_F(Migrate, AStoreWithoutASchemaSaysWhatToDoAndWorksOnceItIsThere) {
  const auto store = open_postgres(uri_, "test");
  try {
    store->list_users("", 1);
    FAIL() << "answered";
  } catch (const StoreUnavailable& error) {
    EXPECT_NE(std::string(error.what()).find("chatctl migrate"), std::string::npos) << error.what();
  }
  EXPECT_THROW(store->wait(std::chrono::milliseconds(1)), StoreUnavailable);
  migrate_postgres(uri_);
  EXPECT_NO_THROW(store->list_users("", 1));
  EXPECT_EQ(store->wait(std::chrono::milliseconds(1)).size(), 1U);
}

TEST_F(Migrate, ANewerSchemaIsLeftAlone) {
  migrate_postgres(uri_);
  server_.run_sql(uri_, "INSERT INTO schema_migrations VALUES (" + std::to_string(latest_schema_version() + 1) +
                            ", 'later', 'x', now())");
  EXPECT_THROW(migrate_postgres(uri_), StoreCorrupt);
  EXPECT_THROW(open_postgres(uri_, "test")->list_users("", 1), StoreCorrupt);
}

TEST_F(Migrate, AMigrationThatHasAnotherTextIsNoticed) {
  migrate_postgres(uri_);
  server_.run_sql(uri_, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1");
  EXPECT_THROW(migrate_postgres(uri_), StoreCorrupt);
}

TEST_F(Migrate, NoServerIsUnavailable) {
  EXPECT_THROW(migrate_postgres("postgresql://127.0.0.1:1/none"), StoreUnavailable);
  EXPECT_THROW(migrate_postgres("this is = no 'conninfo"), StoreUnavailable);
}

}  // namespace
}  // namespace chat::test
