#include "bridge/standings/standing_log.h"

namespace chat {

StandingLog::StandingLog(std::size_t most) : most_(most) {}

// An era's number is one that no other process draws, nor this one again.
void StandingLog::begin_anew() {
  now_ = {(std::uint64_t{chance_()} << 32) + chance_(), 0};
  entries_ = 0;
  conversations_.clear();
  of_one_member_.clear();
  large_.clear();
}

void StandingLog::hear(const Activity& activity) {
  if (activity.empty()) return;
  const std::scoped_lock lock(mutex_);
  if (activity.everything || entries_ > most_) begin_anew();
  if (activity.everything || now_.era == 0) return;
  ++now_.number;
  for (const auto conv : activity.conversations) {
    if (conversations_.insert_or_assign(conv, now_.number).second) ++entries_;
  }
  for (const auto& key : activity.members) {
    if (of_one_member_[key.user].insert_or_assign(key.conv_id, now_.number).second) ++entries_;
  }
}

void StandingLog::lost() {
  const std::scoped_lock lock(mutex_);
  ++silent_;
  begin_anew();
}

// What was written meanwhile missed something.
void StandingLog::found() {
  const std::scoped_lock lock(mutex_);
  --silent_;
  begin_anew();
}

StandingLog::Mark StandingLog::mark() const {
  const std::scoped_lock lock(mutex_);
  return now_;
}

std::optional<std::vector<ConvId>> StandingLog::changed(const std::string& user, std::span<const UnreadStanding> then,
                                                        const Mark& since) const {
  const std::scoped_lock lock(mutex_);
  if (silent_ > 0 || now_.era == 0 || since.era != now_.era) return std::nullopt;
  std::unordered_set<ConvId> changed;
  if (since.number == now_.number) return std::vector<ConvId>();
  for (const auto& standing : then) {
    const auto heard = conversations_.find(standing.key.conv_id);
    if (heard != conversations_.end() && heard->second > since.number) changed.insert(heard->first);
  }
  if (const auto own = of_one_member_.find(user); own != of_one_member_.end()) {
    for (const auto& [conv, number] : own->second) {
      if (number > since.number) changed.insert(conv);
    }
  }
  return std::vector<ConvId>(changed.begin(), changed.end());
}

void StandingLog::remember(const std::string& user) {
  const std::scoped_lock lock(mutex_);
  if (large_.insert(user).second) ++entries_;
}

void StandingLog::forget(const std::string& user) {
  const std::scoped_lock lock(mutex_);
  entries_ -= large_.erase(user);
}

bool StandingLog::remembers(const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  return large_.contains(user);
}

}  // namespace chat
