// What the catch-up and the loader cost: pages of one long conversation, of many short ones, of years of months.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "bench/storage/bench_database.h"

namespace chat::bench {
namespace {

constexpr int kPage = 1000;
constexpr std::size_t kBytes = 64 << 20;

// `groups_wanted` groups with `each` messages apiece, over `months` months. Filled at the first call.
std::vector<ConversationState> filled(Store& store, const std::string& title, int groups_wanted, int members, int each,
                                      int months) {
  auto convs = groups(store, title, groups_wanted, members);
  if (convs.front().last_seq > 0) return convs;
  Batches batches(convs, static_cast<std::uint8_t>(100 + title.size()));
  const int total = groups_wanted * each;
  constexpr int kBatch = 2000;
  for (int done = 0; done < total; done += kBatch) {
    batches.now = kStart + kMonth * (static_cast<std::int64_t>(done) * months / total);
    store.commit(batches.next(std::min(kBatch, total - done), 0, members));
  }
  BenchDatabase::current()->run_sql("VACUUM ANALYZE");
  return groups(store, title, groups_wanted, members);
}

void read_all(benchmark::State& state, Store& store, const std::vector<ConversationState>& convs,
              std::size_t wants_max) {
  std::int64_t read = 0;
  std::vector<PageWant> wants;
  for (auto _ : state) {
    if (wants.empty()) {
      for (const auto& conv : convs) wants.push_back({conv.id, 0});
    }
    const auto page = store.messages_above(std::span(wants).first(std::min(wants.size(), wants_max)), kPage, kBytes);
    read += static_cast<std::int64_t>(page.size());
    if (page.empty()) {
      state.SkipWithError("an empty page");
      break;
    }
    const auto last =
        std::find_if(wants.begin(), wants.end(), [&](const auto& w) { return w.conv_id == page.back().conv_id; });
    last->above = page.back().seq;
    const auto& conv = *std::find_if(convs.begin(), convs.end(), [&](const auto& c) { return c.id == last->conv_id; });
    wants.erase(wants.begin(), last + (last->above == conv.last_seq ? 1 : 0));
  }
  state.SetItemsProcessed(read);
}

void one_long_conversation(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  read_all(state, *store, filled(*store, "long", 1, 2, 200'000, 1), 1);
}
BENCHMARK(one_long_conversation)->UseRealTime()->Unit(benchmark::kMillisecond);

void a_thousand_conversations_of_100(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  read_all(state, *store, filled(*store, "thousand", 1000, 2, 100, 1), 1000);
}
BENCHMARK(a_thousand_conversations_of_100)->UseRealTime()->Unit(benchmark::kMillisecond);

void a_thousand_conversations_of_2(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  read_all(state, *store, filled(*store, "scattered", 1000, 2, 2, 1), 1000);
}
BENCHMARK(a_thousand_conversations_of_2)->UseRealTime()->Unit(benchmark::kMillisecond);

// Last of those with messages: from here on there are 24 months for all of them.
void with_24_months(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  filled(*store, "two years", 50, 20, 4000, 24);
  const auto title = state.range(0) == 0 ? "two years" : state.range(0) == 1 ? "long" : "scattered";
  read_all(state, *store, groups(*store, title, 1, 2), 1000);
  state.SetLabel(title);
}
BENCHMARK(with_24_months)->DenseRange(0, 2)->UseRealTime()->Unit(benchmark::kMillisecond);

void load_user_recent(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  filled(*store, "two years", 50, 20, 4000, 24);
  for (auto _ : state) benchmark::DoNotOptimize(store->load_user("user1", static_cast<int>(state.range(0)), false));
}
BENCHMARK(load_user_recent)->Arg(100)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

void load_conversation(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  const int members = static_cast<int>(state.range(0));
  const auto conv = groups(*store, "members " + std::to_string(members), 1, members).front();
  for (auto _ : state) benchmark::DoNotOptimize(store->load_conversation(conv.name, {}));
}
BENCHMARK(load_conversation)->Arg(2)->Arg(100)->Arg(5000)->UseRealTime()->Unit(benchmark::kMillisecond);

// user1 is in more than two thousand conversations by now.
void open_device(benchmark::State& state) {
  const auto store = open_postgres(BenchDatabase::current()->uri(), "bench");
  std::size_t owed = 0;
  for (auto _ : state) owed = store->open_device("user1", "phone").owed.size();
  state.SetLabel(std::to_string(owed) + " conversations owed");
}
BENCHMARK(open_device)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chat::bench
