// The ready-made library that comes closest to the journal, doing the same work.
#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include <cstdlib>
#include <string>

#include "bench/journal/record_of_bench.h"

namespace {

using chat::bench::message;
using chat::bench::TempFolder;

// One row a transaction, as a publish is ours before it is acknowledged. The argument is PRAGMA synchronous: 0 (off)
// makes the same promise as `never`, 2 (full) the same as `always`.
void BM_SqliteWal(benchmark::State& state) {
  const TempFolder folder;
  sqlite3* database = nullptr;
  if (sqlite3_open((folder.path() + "/journal.db").c_str(), &database) != SQLITE_OK) std::abort();
  const std::string setup = "PRAGMA journal_mode=WAL; PRAGMA synchronous=" + std::to_string(state.range(0)) +
                            "; CREATE TABLE journal (position INTEGER PRIMARY KEY, record BLOB)";
  if (sqlite3_exec(database, setup.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO journal (record) VALUES (?)", -1, &insert, nullptr);
  const auto record = message();
  std::string body;
  for (auto _ : state) {
    body.clear();
    chat::encode(record, &body);
    sqlite3_bind_blob(insert, 1, body.data(), static_cast<int>(body.size()), nullptr);
    if (sqlite3_step(insert) != SQLITE_DONE) {
      state.SkipWithError(sqlite3_errmsg(database));
      break;
    }
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  sqlite3_close(database);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(BM_SqliteWal)->Arg(0)->Arg(2)->UseRealTime();

}  // namespace
