// Searches and pages of history in a full database: CHAT_BENCH_MESSAGES messages (default 1,000,000) of one month, in
// 1,000 conversations, four in ten Chinese, the words as unequally frequent as a language's are (Zipf). The worst month
// is the one in which all of them lie. The columns p50_ms and p99_ms are what counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <pqxx/pqxx>
#include <random>

#include "bench/storage/bench_database.h"
#include "storage/requests.h"
#include "storage/search_index.h"

namespace chat::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kConversations = 1000;  // the first one has a fifth of all messages
constexpr int kBatch = 2000;
constexpr TimeMs kEnd = std::numeric_limits<TimeMs>::max();

int messages_wanted() {
  const char* given = std::getenv("CHAT_BENCH_MESSAGES");
  return given == nullptr ? 1'000'000 : std::atoi(given);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Ranks from 0 on, each about as frequent as 1 / (rank + 3).
class Zipf {
 public:
  explicit Zipf(int count) : count_(count), scale_(std::log((count + 3.0) / 3.0)) {}
  int operator()(std::mt19937_64& random) const {
    const double u = std::uniform_real_distribution<double>(0, 1)(random);
    return std::min(count_ - 1, static_cast<int>(3.0 * std::exp(u * scale_) - 3.0));
  }

 private:
  int count_;
  double scale_;
};

constexpr int kEnglish = 50'000;
constexpr int kHan = 4000;

std::string english(int rank) {
  std::string word;
  for (int left = rank + 26; left > 0; left /= 26) word.push_back(static_cast<char>('a' + left % 26));
  return word;
}

std::string han(int rank) {
  const int c = 0x4E00 + rank * 5;
  return {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
          static_cast<char>(0x80 | (c & 0x3F))};
}

std::string body(std::mt19937_64& random) {
  static const Zipf words(kEnglish);
  static const Zipf characters(kHan);
  std::string text;
  if (random() % 10 < 4) {
    for (int i = 0; i < 18; ++i) text += han(characters(random));
  } else {
    for (int i = 0; i < 12; ++i) text += english(words(random)) + " ";
  }
  return text;
}

// The users: u-all is in each conversation, u-100 in a hundred, u-5 in five, u-big in the first alone; the rest write.
void make_conversations(const BenchDatabase& database) {
  database.run_sql(
      "INSERT INTO users (name, created_at) SELECT 'w' || n, 0 FROM generate_series(0, 99) n UNION ALL "
      "SELECT unnest(ARRAY['u-all', 'u-100', 'u-5', 'u-big']), 0;"
      "INSERT INTO conversations (name, kind, title, created_at, changed_at) "
      "SELECT 'g:search-' || n, 1, 'search', 0, 0 FROM generate_series(0, 999) n;"
      "INSERT INTO members (conv_id, user_name, role, join_seq, join_rev, joined_at) "
      "SELECT id, u, 0, 1, 1, 0 FROM (SELECT *, row_number() OVER (ORDER BY id) n FROM conversations "
      "WHERE title = 'search') c CROSS JOIN unnest(ARRAY['u-all', 'u-100', 'u-5', 'u-big', 'w0', 'w1', 'w2']) u "
      "WHERE u NOT LIKE 'u-%' OR u = 'u-all' OR u = 'u-100' AND n % 10 = 7 OR u = 'u-5' AND n % 200 = 7 "
      "OR u = 'u-big' AND n = 1");
}

// What PostgreSQL does for two characters, as chat_search_month() asks it.
void print_plan(const BenchDatabase& database) {
  pqxx::connection connection(database.uri());
  pqxx::nontransaction transaction(connection);
  transaction.exec("SET enable_seqscan = off");
  const auto plan = transaction.exec(
      "EXPLAIN (ANALYZE, COSTS OFF) SELECT n.server_time, n.conv_id, n.seq FROM message_words n WHERE n.words @@ '" +
      han(300) + han(5) + "'");
  for (const auto& line : plan) std::cerr << "  " << line[0].c_str() << '\n';
}

void fill() {
  static bool filled = false;
  if (std::exchange(filled, true)) return;
  const auto& database = *BenchDatabase::current();
  make_conversations(database);
  const auto store = open_postgres(database.uri(), "bench");
  std::vector<ConversationState> convs;
  for (int i = 0; i < kConversations; ++i) {
    convs.push_back(store->find_conversation("g:search-" + std::to_string(i)).value());
  }
  const int total = messages_wanted();
  std::mt19937_64 random(1);
  Batch batch;
  batch.journal = {0xbe, 0xfe};
  const TimeMs first = kStart - 13LL * 86'400'000;
  const TimeMs step = std::max<TimeMs>(1, 27LL * 86'400'000 / total);
  const auto begin = Clock::now();
  for (int i = 0; i < total; ++i) {
    auto& conv = convs[random() % 5 == 0 ? 0 : random() % convs.size()];
    auto one = message(conv, ++conv.last_seq, first + i * step, 0);
    one.sender = "w" + std::to_string(random() % 3);
    one.payload = "{\"id\":\"" + one.id + "\",\"body\":\"" + body(random) + "\"}";
    batch.messages.push_back(std::move(one));
    if (static_cast<int>(batch.messages.size()) < kBatch && i + 1 < total) continue;
    batch.to = batch.from + 1;
    store->commit(batch);
    batch.from = batch.to;
    batch.messages.clear();
  }
  std::cerr << total << " messages stored, " << static_cast<int>(total / seconds_since(begin)) << "/s\n";
  database.run_sql("VACUUM ANALYZE");
}

void make_searchable() {
  static bool made = false;
  if (std::exchange(made, true)) return;
  fill();
  const auto& database = *BenchDatabase::current();
  const auto index = open_search_index(database.uri(), "bench");
  const auto begin = Clock::now();
  while (index->index_some()) continue;
  std::cerr << "made searchable, " << static_cast<int>(messages_wanted() / seconds_since(begin)) << "/s\n";
  database.run_sql("VACUUM ANALYZE");
  print_plan(database);
}

void report(benchmark::State& state, std::vector<double> times, std::size_t rows) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  state.counters["p50_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
  state.counters["rows"] = static_cast<double>(rows) / static_cast<double>(times.size());
}

template <typename Ask>
void measured(benchmark::State& state, Ask ask) {
  const auto requests = open_request_store(BenchDatabase::current()->uri(), "bench");
  std::vector<double> times;
  std::size_t rows = 0;
  for (auto _ : state) {
    const auto begin = Clock::now();
    rows += ask(*requests);
    times.push_back(seconds_since(begin) * 1000);
  }
  report(state, std::move(times), rows);
}

// Words of about that rank, so that no two searches are the same.
struct Words {
  const char* name;
  int english_rank;  // -1: none
  int han_rank;
  int count;
};

void search(benchmark::State& state, const char* user, const Words& kind, const char* conv) {
  make_searchable();
  std::mt19937_64 random(2);
  measured(state, [&](RequestStore& requests) {
    SearchWanted wanted;
    for (int i = 0; i < kind.count; ++i) {
      const int shift = static_cast<int>(random() % 20);
      wanted.words += kind.english_rank >= 0 ? " " + english(kind.english_rank + shift) : han(kind.han_rank + shift);
    }
    wanted.below.server_time = kEnd;
    if (conv != nullptr) wanted.conv_id = requests.seat(conv, user).conv_id;
    return requests.search(user, wanted, 50, 512 << 10, kEnd / 2).rows.size();
  });
}

void history(benchmark::State& state) {
  fill();
  std::mt19937_64 random(3);
  measured(state, [&](RequestStore& requests) {
    const auto seat = requests.seat("g:search-" + std::to_string(random() % kConversations), "u-all");
    // Anywhere, but a whole page: else conversations of different lengths could not be compared.
    const auto last = std::max<Seq>(50, static_cast<Seq>(1 + random() % static_cast<std::uint64_t>(seat.last_seq)));
    const SeqRange range{seat.conv_id, 1, last};
    return requests.messages("u-all", std::span(&range, 1), true, 50, 512 << 10, kStart).rows.size();
  });
}
BENCHMARK(history)->Iterations(2000)->UseRealTime()->Unit(benchmark::kMillisecond);

constexpr Words kKinds[] = {{"one_of_the_most_frequent_words", 0, 0, 1},
                            {"a_frequent_word", 100, 0, 1},
                            {"a_word", 1000, 0, 1},
                            {"a_rare_word", 20'000, 0, 1},
                            {"three_frequent_words", 0, 0, 3},
                            {"a_frequent_character", -1, 0, 1},
                            {"a_rare_character", -1, 3000, 1},
                            {"two_frequent_characters", -1, 0, 2},
                            {"two_characters", -1, 300, 2},
                            {"three_characters", -1, 30, 3}};

const int registered = [] {
  for (const auto& kind : kKinds) {
    for (const char* user : {"u-all", "u-100", "u-5", "u-big"}) {
      const std::string name = std::string("search/") + user + "/" + kind.name;
      benchmark::RegisterBenchmark(name.c_str(), search, user, kind, nullptr)
          ->Iterations(200)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark((std::string("search/in_one_large_conversation/") + kind.name).c_str(), search,
                                 "u-big", kind, "g:search-0")
        ->Iterations(200)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  return 0;
}();

}  // namespace
}  // namespace chat::bench
