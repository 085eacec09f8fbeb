// How a user stands everywhere, kept in Redis at {prefix}:standings:{user}, so that whoever has thousands of
// conversations does not make PostgreSQL count them all at each log-in and for each page of the list: only what changed
// since is asked again. For those with few it is not worth it.
//
// Invariants
//  (1) An answer holds everything that the log had heard when it was asked for, whatever happened to Redis meanwhile:
//  a text that is missing, torn, old or of another bridge is not used.
//  (2) Redis is asked only about users whom the log remembers, and waits are short (kCachePatience).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/standings/standing_log.h"
#include "storage/redis/redis.h"
#include "storage/unread.h"

namespace chat {

// PostgreSQL needs about as long to count all anew.
inline constexpr RedisPatience kCachePatience{.connect = std::chrono::milliseconds(50),
                                              .answer = std::chrono::milliseconds(50)};

// Threads: as UnreadStore; several may share one log.
class StandingCache : public UnreadStore {
 public:
  // Keeps users of at least `from` conversations. `redis` null: keeps nobody. `log` outlives it.
  StandingCache(const std::string& prefix, std::unique_ptr<UnreadStore> store, std::unique_ptr<Redis> redis,
                StandingLog& log, std::size_t from);

  std::vector<UnreadStanding> of_user(const std::string& user, TimeMs now) override;
  std::vector<UnreadStanding> of_members(std::span<const MemberKey> keys, TimeMs now) override {
    return store_->of_members(keys, now);
  }
  // As of_user(), out of Redis. nullopt: it has nothing that can be used.
  std::optional<std::vector<UnreadStanding>> kept(const std::string& user, TimeMs now);
  // As of_user(), all of it out of PostgreSQL; keeps it.
  std::vector<UnreadStanding> counted(const std::string& user, TimeMs now);
  // Redis answered when it was asked last.
  bool reachable() const { return reachable_; }

  void interrupt() noexcept override;

 private:
  void keep(const std::string& user, StandingLog::Mark mark, TimeMs now, const std::vector<UnreadStanding>& standings);
  std::string key(const std::string& user) const { return prefix_ + user; }

  const std::string prefix_;
  const std::unique_ptr<UnreadStore> store_;
  const std::unique_ptr<Redis> redis_;
  StandingLog& log_;
  const std::size_t from_;
  bool reachable_;
};

}  // namespace chat
