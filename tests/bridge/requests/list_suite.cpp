#include "tests/bridge/requests/list_suite.h"

#include <csignal>

namespace chat::test {

ListSuite::ListSuite() {
  if (GetParam() == Kept::kNowhere) return;
  std::signal(SIGPIPE, SIG_IGN);
  redis_ = std::make_unique<PrivateRedis>();
  // Patient: a machine that is busy must not turn the test into one without Redis.
  const RedisPatience patience{.connect = std::chrono::seconds(20),
                               .answer = std::chrono::seconds(20),
                               .first_wait = std::chrono::milliseconds(1),
                               .longest_wait = std::chrono::milliseconds(1)};
  auto redis = std::make_unique<Redis>(
      parse_redis_uri(redis_->uri()), [](bool, const std::string&) {}, patience);
  auto cache =
      std::make_unique<StandingCache>("chat", open_unread_store(uri(), "list_suite"), std::move(redis), log_, 1);
  auto feed = std::make_unique<HeardFeed>(open_activity_feed(uri(), "list_suite"), log_);
  standings_ = std::make_unique<ListStandings>(std::move(cache), std::move(feed), log_, 1);
  Services services;
  services.standings = standings_.get();
  work_with(services);
}

void ListSuite::disturb(std::mt19937_64& chance, const std::string& user) {
  if (GetParam() != Kept::kInADisturbedRedis) return;
  const auto key = "chat:standings:" + user;
  const auto text = redis_->cli("GET", key);
  switch (chance() % 24) {
    case 0:
      redis_->cli("FLUSHALL");
      break;
    case 1:  // mangled
      redis_->cli("SET", key, text.substr(0, chance() % (text.size() + 1)));
      break;
    case 2:  // what another time left behind
      if (!before_.empty()) redis_->cli("SET", key, before_);
      break;
    case 3:
      before_ = text.empty() ? text : text + "\n";  // redis-cli took the last line's end
      break;
    case 4:
      redis_->kill();
      redis_->start();
      break;
    default:
      break;
  }
}

std::int64_t ListSuite::hits() const {
  const auto stats = redis_->cli("INFO", "stats");
  const std::string name = "keyspace_hits:";
  return std::stoll(stats.substr(stats.find(name) + name.size()));
}

std::string name_of(const ::testing::TestParamInfo<Kept>& info) {
  switch (info.param) {
    case Kept::kNowhere:
      return "FromPostgres";
    case Kept::kInRedis:
      return "KeptInRedis";
    case Kept::kInADisturbedRedis:
      return "KeptInADisturbedRedis";
  }
  return "";
}

}  // namespace chat::test
