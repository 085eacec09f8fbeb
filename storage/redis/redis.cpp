#include "storage/redis/redis.h"

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Why Redis counts as away. Does not leave this file.
class Away : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

timeval timeval_of(milliseconds duration) {
  return {duration.count() / 1000, duration.count() % 1000 * 1000};
}

// A patience that ran out is, in hiredis's words, "Resource temporarily unavailable".
std::string reason_of(const redisContext& context) {
  if (context.errstr == std::generic_category().message(EAGAIN)) return "it does not answer";
#ifdef REDIS_ERR_TIMEOUT  // from hiredis 1.0 on
  if (context.err == REDIS_ERR_TIMEOUT) return "it does not answer";
#endif
  return context.errstr;
}

}  // namespace

Redis::Redis(RedisUri uri, Tell tell, RedisPatience patience)
    : uri_(std::move(uri)),
      tell_(std::move(tell)),
      patience_(patience),
      context_(nullptr, &redisFree),
      wait_(patience.first_wait) {}

Redis::~Redis() {
  drop();
}

std::optional<std::vector<RedisReply>> Redis::run(std::span<const Command> commands) {
  if (commands.empty()) return std::vector<RedisReply>();
  if (interrupter_.tripped() || (!context_ && Clock::now() < try_again_)) return std::nullopt;
  try {
    if (!context_) connect();
    auto replies = exchange(commands);
    wait_ = patience_.first_wait;
    if (std::exchange(away_, false)) tell_(true, "Redis at " + without_password(uri_) + " is back");
    return replies;
  } catch (const Away& away) {
    gone(away.what());
    return std::nullopt;
  }
}

std::optional<RedisReply> Redis::run(const Command& command) {
  auto replies = run(std::span(&command, 1));
  if (!replies) return std::nullopt;
  return std::move(replies->front());
}

void Redis::connect() {
  const auto patience = timeval_of(patience_.connect);
  context_.reset(uri_.host.empty() ? redisConnectUnixWithTimeout(uri_.socket.c_str(), patience)
                                   : redisConnectWithTimeout(uri_.host.c_str(), uri_.port, patience));
  if (!context_) throw Away("there is no memory for a connection");
  if (context_->err != 0) throw Away(reason_of(*context_));
  interrupter_.watch(context_->fd);
  if (redisSetTimeout(context_.get(), timeval_of(patience_.answer)) != REDIS_OK) throw Away(context_->errstr);
  std::vector<Command> greeting;
  if (!uri_.password.empty()) {
    greeting.push_back({"AUTH"});
    if (!uri_.user.empty()) greeting.back().push_back(uri_.user);
    greeting.back().push_back(uri_.password);
  }
  if (uri_.database != 0) greeting.push_back({"SELECT", std::to_string(uri_.database)});
  exchange(greeting);
}

std::vector<RedisReply> Redis::exchange(std::span<const Command> commands) {
  for (const auto& command : commands) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const auto& word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data()) !=
        REDIS_OK) {
      throw Away(context_->errstr);
    }
  }
  std::vector<RedisReply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) replies.push_back(next_reply());
  return replies;
}

RedisReply Redis::next_reply() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK || raw == nullptr) throw Away(reason_of(*context_));
  const std::unique_ptr<redisReply, void (*)(void*)> reply(static_cast<redisReply*>(raw), &freeReplyObject);
  switch (reply->type) {
    case REDIS_REPLY_NIL:
      return {.nil = true, .text = {}};
    case REDIS_REPLY_INTEGER:
      return {.text = std::to_string(reply->integer)};
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return {.text = std::string(reply->str, reply->len)};
    case REDIS_REPLY_ERROR:
      throw Away(std::string(reply->str, reply->len));
    default:
      throw Away("it answered in a way that is not understood");
  }
}

void Redis::drop() noexcept {
  interrupter_.watch(-1);  // before the number of the socket can belong to someone else
  context_.reset();
}

void Redis::gone(const std::string& why) {
  drop();
  try_again_ = Clock::now() + wait_;
  wait_ = std::min(wait_ * 2, patience_.longest_wait);
  if (interrupter_.tripped()) return;  // it was we who ended it
  if (!std::exchange(away_, true)) tell_(false, "Redis at " + without_password(uri_) + " is away: " + why);
}

}  // namespace chat
