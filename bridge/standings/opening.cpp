#include "bridge/standings/opening.h"

#include <spdlog/spdlog.h>

namespace chat {

std::unique_ptr<StandingCache> open_standing_cache(const Options& options, StandingLog& log,
                                                   std::string_view application_name) {
  std::unique_ptr<Redis> redis;
  if (!options.redis.empty()) {
    redis = std::make_unique<Redis>(
        parse_redis_uri(options.redis), [](bool, const std::string& sentence) { spdlog::debug("{}", sentence); },
        kCachePatience);
  }
  return std::make_unique<StandingCache>(options.prefix, open_unread_store(options.postgres, application_name),
                                         std::move(redis), log, options.standings_from);
}

std::unique_ptr<ListStandings> open_list_standings(const Options& options, StandingLog& log) {
  if (options.redis.empty()) return nullptr;
  return std::make_unique<ListStandings>(
      open_standing_cache(options, log, "mosquitto-chat-bridge lists"),
      std::make_unique<HeardFeed>(open_activity_feed(options.postgres, "mosquitto-chat-bridge lists"), log), log,
      options.standings_from);
}

}  // namespace chat
