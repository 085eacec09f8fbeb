#include "plugin/core/refusal_crowd.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace chat {

StringMap<RefusalCrowd::Gathered>::value_type& RefusalCrowd::crowd_of(std::string_view user, TimeMs now) {
  const auto found = crowds_.find(user);
  if (found != crowds_.end()) return *found;
  return *crowds_
              .emplace(user, Gathered{.bucket = TokenBucket(kOneByOne, now),
                                      .told_at = now,
                                      .last_words_at = {},
                                      .count = 0,
                                      .ids = {},
                                      .topic = {},
                                      .latest = {}})
              .first;
}

void RefusalCrowd::refused(std::string_view user, std::string_view topic, const Refusal& refusal) {
  const auto now = clock_.steady();
  auto& [name, crowd] = crowd_of(user, now);
  // Nothing overtakes what was gathered.
  if (crowd.count == 0 && crowd.bucket.wait(kOneByOne, 1, now) == 0) {
    crowd.bucket.take(kOneByOne, 1);
    tell_(name, refusal_json(refusal, topic), 1);
    return;
  }
  if (crowd.count++ == 0) crowd.told_at = now;
  if (!refusal.id.empty() && crowd.ids.size() < kIdsMax) crowd.ids.push_back(refusal.id);
  crowd.topic = topic;
  crowd.latest = refusal;
}

void RefusalCrowd::tell_together(const std::string& user, Gathered& crowd, int qos) {
  auto json = nlohmann::ordered_json{
      {"code", code_name(crowd.latest.code)},
      {"reason", std::to_string(crowd.count) + " publishes were refused. Of the last: " + crowd.latest.reason},
      {"topic", crowd.topic},
      {"id", nullptr},
      {"count", crowd.count},
      {"ids", std::exchange(crowd.ids, {})}};
  crowd.count = 0;
  tell_(user, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), qos);
}

bool RefusalCrowd::last_words(std::string_view user, std::string_view topic, const Refusal& refusal, int qos) {
  const auto now = clock_.steady();
  auto& [name, crowd] = crowd_of(user, now);
  if (crowd.last_words_at && now - *crowd.last_words_at < kTogetherEveryMs) {
    crowd.topic = topic;
    crowd.latest = refusal;
    return false;
  }
  crowd.last_words_at = now;
  if (crowd.count > 0) tell_together(name, crowd, qos);
  tell_(name, refusal_json(refusal, topic), qos);
  return true;
}

void RefusalCrowd::tick() {
  const auto now = clock_.steady();
  for (auto entry = crowds_.begin(); entry != crowds_.end();) {
    auto& crowd = entry->second;
    if (crowd.count > 0 && now - crowd.told_at >= kTogetherEveryMs) tell_together(entry->first, crowd, 1);
    // Once the bucket is full again it is as if nothing had ever been said.
    const bool over = crowd.count == 0 && crowd.bucket.wait(kOneByOne, kOneByOne.burst, now) == 0;
    entry = over ? crowds_.erase(entry) : std::next(entry);
  }
}

}  // namespace chat
