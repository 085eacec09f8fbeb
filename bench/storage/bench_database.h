// A database for one run of the benchmarks, on the server that CHAT_PG names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace chat::bench {

inline constexpr TimeMs kStart = 1'750'000'000'000;  // 2025-06-15
inline constexpr TimeMs kMonth = 31LL * 86'400'000;

class BenchDatabase {
 public:
  // Makes the database; throws where that does not work. The destructor drops it.
  explicit BenchDatabase(std::string server);
  ~BenchDatabase();
  BenchDatabase(const BenchDatabase&) = delete;
  BenchDatabase& operator=(const BenchDatabase&) = delete;

  // The one of this run: exists from before the first benchmark to behind the last.
  static BenchDatabase*& current();

  const std::string& uri() const { return uri_; }
  void run_sql(const std::string& sql) const;

 private:
  std::string server_;
  std::string name_;
  std::string uri_;
};

// `count` groups of "user0" … "user<members - 1>", made where they are missing. The same title names the same groups.
std::vector<ConversationState> groups(Store& store, const std::string& title, int count, int members);

// About 250 bytes of payload, as a client sends it, with an id of its own.
StoredMessage message(const ConversationState& conv, Seq seq, TimeMs time, int sender);

// Gives out seqs, times and journal positions as a broker does, and makes batches of them.
class Batches {
 public:
  Batches(std::vector<ConversationState> convs, std::uint8_t journal) : convs_(std::move(convs)), journal_(journal) {}
  Batch next(int messages, int cursors, int senders);
  TimeMs now = kStart;

 private:
  std::vector<ConversationState> convs_;
  std::uint8_t journal_;
  std::size_t turn_ = 0;
  Position position_ = 0;
};

}  // namespace chat::bench
