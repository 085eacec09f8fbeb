// Usage: CHAT_PG=<connection URI of a server in which a database may be made> storage_bench [Google Benchmark's
// options]
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>

#include "bench/storage/bench_database.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const char* server = std::getenv("CHAT_PG");
  if (server == nullptr) {
    std::cerr << "storage_bench: CHAT_PG is not set (a connection URI, see ./dev up)\n";
    return 2;
  }
  try {
    chat::bench::BenchDatabase database(server);
    chat::bench::BenchDatabase::current() = &database;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "storage_bench: " << error.what() << '\n';
    return 1;
  }
}
