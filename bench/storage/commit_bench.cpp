// What a commit costs beside the least that PostgreSQL can do: COPY of the same rows, without and with the indexes.
#include <benchmark/benchmark.h>

#include <pqxx/pqxx>

#include "bench/storage/bench_database.h"
#include "storage/postgres/pqxx_compat.h"
#include "storage/uuid.h"

namespace chat::bench {
namespace {

constexpr int kRows = 2000;  // messages in a batch
constexpr int kGroups = 50;  // conversations that they are spread over
constexpr int kSenders = 20;

const char* const kBareTable =
    "DROP TABLE IF EXISTS bare; CREATE TABLE bare (conv_id bigint NOT NULL, seq bigint NOT NULL, server_time bigint "
    "NOT NULL, "
    "reply_to bigint, ttl_s bigint, mid uuid NOT NULL, type smallint NOT NULL, sender text COLLATE \"C\" NOT NULL, "
    "id text COLLATE \"C\", mentions text[], payload text NOT NULL)";

void bare_copy(benchmark::State& state, bool indexed) {
  auto& database = *BenchDatabase::current();
  database.run_sql(kBareTable);
  if (indexed) {
    database.run_sql("ALTER TABLE bare ADD PRIMARY KEY (conv_id, seq, server_time)");
    database.run_sql("CREATE INDEX ON bare (sender, server_time) WHERE id IS NOT NULL");
  }
  const auto store = open_postgres(database.uri(), "bench");
  Batches batches(groups(*store, "commit", kGroups, kSenders), 0);
  pqxx::connection connection(database.uri());
  for (auto _ : state) {
    state.PauseTiming();
    const auto batch = batches.next(kRows, 0, kSenders);
    state.ResumeTiming();
    pqxx::work transaction(connection);
    compat::CopyIn copy(transaction, "bare",
                        "payload,conv_id,seq,server_time,reply_to,ttl_s,mid,type,sender,id,mentions");
    for (const auto& m : batch.messages) {
      copy.row(m.payload, m.conv_id, m.seq, m.server_time, nullptr, nullptr, uuid_text(m.mid), static_cast<int>(m.type),
               m.sender, m.id, nullptr);
    }
    copy.complete();
    transaction.commit();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

// Google Benchmark calls a function several times: each time with a new journal, and at the seqs that the store stands
// at.
void commit(benchmark::State& state, int rows, int cursors) {
  static std::uint8_t journal = 0;
  static TimeMs latest = kStart;
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  Batches batches(groups(*store, "commit", kGroups, kSenders), ++journal);
  batches.now = latest;
  for (auto _ : state) {
    state.PauseTiming();
    const auto batch = batches.next(rows, cursors, kSenders);
    state.ResumeTiming();
    if (store->commit(batch) != CommitResult::kApplied) state.SkipWithError("the batch was not applied");
  }
  latest = batches.now;
  state.SetItemsProcessed(state.iterations() * (rows + cursors));
}

BENCHMARK_CAPTURE(bare_copy, unindexed, false)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bare_copy, indexed, true)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, messages, kRows, 0)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, small_batch_of_20, 20, 0)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, messages_and_1000_cursors, kRows, 1000)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, mostly_1000_cursors, 50, 1000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chat::bench
