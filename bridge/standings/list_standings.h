// How a user with many conversations stands everywhere, for the requests that page through them: out of Redis where
// that is as good as what PostgreSQL would say now.
//
// It listens to PostgreSQL on a connection of its own, which it asks before each answer: so what was committed before a
// request came is in the answer, unlike with pushes, of which a later one follows.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bridge/standings/heard_feed.h"
#include "bridge/standings/standing_cache.h"

namespace chat {

// Threads: of(), listed(): one at a time; stop(): one, also at the same time.
class ListStandings {
 public:
  // `log` and `from`: the cache's. Starts a thread.
  ListStandings(std::unique_ptr<StandingCache> cache, std::unique_ptr<HeardFeed> feed, StandingLog& log,
                std::size_t from);
  ~ListStandings();
  ListStandings(const ListStandings&) = delete;
  ListStandings& operator=(const ListStandings&) = delete;

  // nullopt: a page from PostgreSQL is cheaper. Throws as UnreadStore does.
  std::optional<std::vector<UnreadStanding>> of(const std::string& user, TimeMs now);
  // A page came from PostgreSQL, and the user has so many conversations: who asks for more gets it from here.
  void listed(const std::string& user, std::size_t conversations);

  // Makes calls that are blocked, and all later ones, end soon. Any thread.
  void interrupt() noexcept;
  // That, and ends the thread. Again: nothing.
  void stop() noexcept;

 private:
  bool hear_all();
  void drain();

  const std::unique_ptr<StandingCache> cache_;
  StandingLog& log_;
  const std::size_t from_;

  std::mutex feed_mutex_;
  const std::unique_ptr<HeardFeed> feed_;  // feed_mutex_'s
  bool listening_ = false;                 // likewise

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread draining_;
};

}  // namespace chat
