// Who is online, in Redis, for other programs to read: {prefix}:presence:{user} is there while that user is online,
//
//   {"user":"bob","online":true,"last_seen":1700000000000}
//
// and each key is a lease: it ends by itself when no bridge renews it. Nothing here reads it back.
//
// Invariants
//  (1) A Redis that was emptied or restarted is filled again within a second or so: {prefix}:presence, which is written
//  last, is looked for each time.
//  (2) It has a thread and a connection of its own, so a Redis that is frozen or away holds up nobody.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bridge/presence/presence_board.h"
#include "storage/redis/redis.h"

namespace chat {

struct MirrorTimes {
  std::chrono::milliseconds round{1'000};
  std::chrono::milliseconds lease{30'000};  // renewed when a third of it is over
};

class PresenceMirror {
 public:
  // `board` outlives it; `now` is the wall clock. Starts the thread.
  PresenceMirror(std::string prefix, const PresenceBoard& board, std::unique_ptr<Redis> redis,
                 std::function<TimeMs()> now, MirrorTimes times = {});
  ~PresenceMirror();
  PresenceMirror(const PresenceMirror&) = delete;
  PresenceMirror& operator=(const PresenceMirror&) = delete;

  // Ends the thread, also where Redis does not answer. Again: nothing.
  void stop();

 private:
  void run();
  void step();
  bool send(const std::vector<Redis::Command>& commands);

  const std::string key_;  // {prefix}:presence
  const PresenceBoard& board_;
  const std::unique_ptr<Redis> redis_;
  const std::function<TimeMs()> now_;
  const MirrorTimes times_;
  const std::string token_;        // what the key above holds: that this bridge wrote the others
  std::set<std::string> written_;  // users whose key may be there
  bool all_ = true;                // everything is to be written
  std::chrono::steady_clock::time_point renew_at_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
