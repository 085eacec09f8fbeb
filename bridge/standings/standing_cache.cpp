#include "bridge/standings/standing_cache.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "bridge/standings/standing_text.h"

namespace chat {
namespace {

constexpr std::size_t kAskAgainMost = 500;    // conversations; beyond, PostgreSQL counts all of them about as fast
constexpr const char* kLifetime = "3600000";  // ms, from when it was written last

}  // namespace

StandingCache::StandingCache(const std::string& prefix, std::unique_ptr<UnreadStore> store,
                             std::unique_ptr<Redis> redis, StandingLog& log, std::size_t from)
    : prefix_(prefix + ":standings:"),
      store_(std::move(store)),
      redis_(std::move(redis)),
      log_(log),
      from_(from),
      reachable_(redis_ != nullptr) {}

void StandingCache::interrupt() noexcept {
  store_->interrupt();
  if (redis_) redis_->interrupt();
}

std::vector<UnreadStanding> StandingCache::of_user(const std::string& user, TimeMs now) {
  if (auto standings = kept(user, now)) return *std::move(standings);
  return counted(user, now);
}

std::vector<UnreadStanding> StandingCache::counted(const std::string& user, TimeMs now) {
  const auto mark = log_.mark();  // before PostgreSQL is asked: what is heard meanwhile may be missing
  auto standings = store_->of_user(user, now);
  if (standings.size() >= from_) {
    keep(user, mark, now, standings);
  } else {
    log_.forget(user);
  }
  return standings;
}

std::optional<std::vector<UnreadStanding>> StandingCache::kept(const std::string& user, TimeMs now) {
  if (!redis_ || !log_.remembers(user)) return std::nullopt;
  const auto reply = redis_->run({"GET", key(user)});
  reachable_ = reply.has_value();
  if (!reply || reply->nil) return std::nullopt;
  auto read = read_standings(reply->text, user);
  if (!read || read->at > now) return std::nullopt;  // the clock was set back: what had expired may not have
  const auto mark = log_.mark();
  const auto changed = log_.changed(user, read->standings, read->mark);
  if (!changed) return std::nullopt;
  std::vector<MemberKey> again;
  for (const auto conv : *changed) again.push_back({conv, user});
  for (const auto& one : read->standings) {
    if (one.changes_at != 0 && one.changes_at <= now) again.push_back(one.key);
  }
  std::sort(again.begin(), again.end());
  again.erase(std::unique(again.begin(), again.end()), again.end());
  if (again.size() > kAskAgainMost) return std::nullopt;
  spdlog::debug("{} asks PostgreSQL about {} of those kept in Redis", user, again.size());
  if (again.empty()) return std::move(read->standings);

  std::unordered_map<ConvId, UnreadStanding> news;
  for (auto& one : store_->of_members(again, now)) news.insert_or_assign(one.key.conv_id, std::move(one));
  auto& standings = read->standings;
  std::erase_if(standings, [&](auto& one) {
    const auto found = news.find(one.key.conv_id);
    if (found == news.end()) return false;
    one = std::move(found->second);
    news.erase(found);
    return !one.member;
  });
  for (auto& [conv, one] : news) {
    if (one.member) standings.push_back(std::move(one));
  }
  keep(user, mark, now, standings);
  return std::move(standings);
}

void StandingCache::keep(const std::string& user, StandingLog::Mark mark, TimeMs now,
                         const std::vector<UnreadStanding>& standings) {
  if (!redis_) return;
  log_.remember(user);  // also where the answer is lost: it may be there
  reachable_ = redis_->run({"SET", key(user), standing_text({mark, now, standings}), "PX", kLifetime}).has_value();
}

}  // namespace chat
