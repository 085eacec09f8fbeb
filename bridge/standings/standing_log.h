// What was heard of since a cached answer was read: which conversations stand otherwise now, and for whom. It is what
// makes an answer in Redis as good as PostgreSQL's: whoever has one asks here what of it has to be asked again.
//
// Invariants
//  (1) Whatever was heard behind a mark is answered by changed() for that mark, or everything is.
//  (2) Marks of another process, or from before anything may have been missed, are as if there were none; all are while
//  one of those who heard does not.
//  (3) It grows to about `most` entries, and then begins anew.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/activity.h"
#include "storage/unread.h"

namespace chat {

// Threads: any.
class StandingLog {
 public:
  // A moment in what was heard. What is read from PostgreSQL behind it holds everything heard before it.
  struct Mark {
    std::uint64_t era = 0;
    std::uint64_t number = 0;

    bool operator==(const Mark&) const = default;
  };

  explicit StandingLog(std::size_t most = 200'000);

  void hear(const Activity& activity);
  // One of those who tell it lost PostgreSQL, and hears again.
  void lost();
  void found();
  Mark mark() const;

  // Where the user may stand otherwise than at the mark, in conversations of `then` or in others. nullopt: everywhere.
  std::optional<std::vector<ConvId>> changed(const std::string& user, std::span<const UnreadStanding> then,
                                             const Mark& since) const;

  // Users with many conversations, of whom Redis may have something from this era.
  void remember(const std::string& user);
  void forget(const std::string& user);
  bool remembers(const std::string& user) const;

 private:
  void begin_anew();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::random_device chance_;
  Mark now_;        // era 0: nothing was heard yet
  int silent_ = 0;  // lost() without found()
  std::size_t entries_ = 0;
  std::unordered_map<ConvId, std::uint64_t> conversations_;                                   // when each was heard of
  std::unordered_map<std::string, std::unordered_map<ConvId, std::uint64_t>> of_one_member_;  // by user
  std::unordered_set<std::string> large_;
};

}  // namespace chat
