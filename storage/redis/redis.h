// A connection to Redis, which may be away, frozen or emptied at any time: it holds nothing that PostgreSQL cannot
// rebuild, so no call fails. Whoever asks gets an answer or none, soon.
//
// Invariants
//  (1) No call throws for what Redis does, and none takes longer than the two patiences together for each command; a
//  name server that does not answer is not covered.
//  (2) Behind a failure nothing is tried for a while, which doubles: a frozen Redis costs its callers that much once in
//  a while, and nothing in between.
//  (3) It says once that Redis is away, with the reason, and once that it is back.
//  (4) What got no answer may have been done, or done in part.
// Threads: one at a time; interrupt() any. The process ignores SIGPIPE.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/postgres/interrupter.h"
#include "storage/redis/redis_uri.h"

struct redisContext;

namespace chat {

struct RedisPatience {
  std::chrono::milliseconds connect{200};
  std::chrono::milliseconds answer{200};
  std::chrono::milliseconds first_wait{250};  // behind a failure; doubles up to the next
  std::chrono::milliseconds longest_wait{4000};
};

struct RedisReply {
  bool nil = false;  // such as a key that is not there
  std::string text;  // or a number's digits

  bool operator==(const RedisReply&) const = default;
};

class Redis {
 public:
  using Command = std::vector<std::string>;
  // `back`: true where it is back, false where it is away. Called from within run(), with a sentence.
  using Tell = std::function<void(bool back, const std::string& sentence)>;

  // Connects at the first command.
  Redis(RedisUri uri, Tell tell, RedisPatience patience = {});
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Sends all commands at once, and answers their replies in order. nullopt: Redis is away, or answered one of them
  // with an error or with an array, which counts as being away.
  std::optional<std::vector<RedisReply>> run(std::span<const Command> commands);
  // The same for one.
  std::optional<RedisReply> run(const Command& command);

  // Makes a call that is blocked, and all later ones, end soon without an answer.
  void interrupt() noexcept { interrupter_.trip(); }

 private:
  void connect();
  std::vector<RedisReply> exchange(std::span<const Command> commands);
  RedisReply next_reply();
  void drop() noexcept;
  void gone(const std::string& why);

  const RedisUri uri_;
  const Tell tell_;
  const RedisPatience patience_;
  Interrupter interrupter_;
  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
  bool away_ = false;
  std::chrono::milliseconds wait_;
  std::chrono::steady_clock::time_point try_again_{};  // not before
};

}  // namespace chat
