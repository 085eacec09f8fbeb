#include "bridge/presence/presence_board.h"

#include <algorithm>

namespace chat {

bool PresenceBoard::Person::online() const {
  return std::any_of(sessions.begin(), sessions.end(), [](const auto& entry) { return !entry.second.over; });
}

bool PresenceBoard::Person::online(Steady steady) const {
  return std::any_of(sessions.begin(), sessions.end(),
                     [&](const auto& entry) { return !entry.second.ended_by(steady); });
}

void PresenceBoard::hear(const SessionSignals& signals, TimeMs now, Steady steady) {
  const std::scoped_lock lock(mutex_);
  if (signals.reset) {
    void_all(now, steady + times_.grace);
    told_all_ = true;
  }
  if (!told_all_) return;  // the broker is about to tell all of it
  for (const auto& signal : signals.sessions) hear_one(signal, now, steady);
}

void PresenceBoard::hear_one(const SessionSignal& signal, TimeMs now, Steady steady) {
  // One that is not known and not here came and went within a tick of the broker.
  const auto [place, unknown] = people_[signal.user].sessions.try_emplace(signal.device);
  auto& session = place->second;
  due_.insert(signal.user);
  if (signal.online) {
    session.here = true;
    session.over = false;
    session.deadline.reset();
  } else if (unknown || session.here) {
    ended(&session, now);
    session.deadline = steady + times_.takeover;
    deadlines_.emplace(*session.deadline, signal.user);
  }
}

void PresenceBoard::ended(Session* session, TimeMs now) const {
  session->here = false;
  session->ended = now;
  // What it asked for may have been carried out a little later; what it will ask for when it is back is not meant.
  session->watches_until = now + times_.takeover.count() / 2;
}

void PresenceBoard::link_lost(TimeMs now) {
  const std::scoped_lock lock(mutex_);
  told_all_ = false;
  void_all(now, std::nullopt);
}

// Nobody is here for certain any more; those whose end is not known yet have until `deadline` to come back.
void PresenceBoard::void_all(TimeMs now, std::optional<Steady> deadline) {
  for (auto& [user, person] : people_) {
    for (auto& [device, session] : person.sessions) {
      if (session.here) {
        ended(&session, now);
      } else if (session.over || session.deadline) {
        continue;
      }
      session.deadline = deadline;
      if (deadline) deadlines_.emplace(*deadline, user);
    }
  }
}

void PresenceBoard::recall(std::span<const KeptSession> kept, TimeMs now, Steady steady) {
  const std::scoped_lock lock(mutex_);
  recalled_ = true;
  for (const auto& was : kept) {
    auto& person = people_[was.user];
    person.told = person.told || was.told;
    auto [place, unknown] = person.sessions.try_emplace(was.device);
    auto& session = place->second;
    session.kept = was.told;
    due_.insert(was.user);
    if (!unknown) continue;
    session.ended = was.here_at;
    session.watches_until = now;
    if (!told_all_) continue;
    session.deadline = steady + times_.grace;
    deadlines_.emplace(*session.deadline, was.user);
  }
}

void PresenceBoard::forget() {
  const std::scoped_lock lock(mutex_);
  recalled_ = false;
  told_all_ = false;
  people_.clear();
  due_.clear();
  deadlines_.clear();
}

bool PresenceBoard::ready() const {
  const std::scoped_lock lock(mutex_);
  return recalled_;
}

bool PresenceBoard::current() const {
  const std::scoped_lock lock(mutex_);
  return recalled_ && told_all_;
}

Presence PresenceBoard::find(const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = people_.find(user);
  if (found == people_.end()) return {};
  return {.online = found->second.online(), .last_seen = found->second.last_seen};
}

std::vector<std::string> PresenceBoard::online(Steady steady) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> users;
  for (const auto& [user, person] : people_) {
    if (person.online(steady)) users.push_back(user);
  }
  return users;
}

PresenceNews PresenceBoard::take(Steady steady, std::size_t most) {
  const std::scoped_lock lock(mutex_);
  PresenceNews news;
  if (!recalled_ || !told_all_) return news;
  while (!deadlines_.empty() && deadlines_.begin()->first <= steady) {
    due_.insert(std::move(deadlines_.begin()->second));
    deadlines_.erase(deadlines_.begin());
  }
  for (std::size_t looked = 0; looked < most && !due_.empty(); ++looked) {
    const auto user = std::move(due_.extract(due_.begin()).value());
    look_at(user, steady, &news);
  }
  return news;
}

void PresenceBoard::look_at(const std::string& user, Steady steady, PresenceNews* news) {
  const auto found = people_.find(user);
  if (found == people_.end()) return;
  auto& person = found->second;
  for (auto& [device, session] : person.sessions) {
    if (session.here) {
      if (!session.kept) news->begun.push_back({user, device});
      continue;
    }
    session.over = session.ended_by(steady);
    if (!session.over) continue;
    person.last_seen = std::max(person.last_seen, session.ended);
    news->ended.push_back({user, device, session.ended, session.watches_until});
  }
  const bool online = person.online();
  if (online != person.told) news->changes.push_back({user, {online, person.last_seen}});
  if (person.sessions.empty() && !person.told && person.forget_at && *person.forget_at <= steady) people_.erase(found);
}

void PresenceBoard::done(const PresenceNews& news, Steady steady) {
  const std::scoped_lock lock(mutex_);
  for (const auto& change : news.changes) {
    const auto found = people_.find(change.user);
    if (found == people_.end()) continue;
    found->second.told = change.now.online;  // hear() has noted who turned round meanwhile
    settle(change.user, steady);
  }
  for (const auto& begun : news.begun) {
    const auto found = people_.find(begun.user);
    if (found == people_.end()) continue;
    const auto session = found->second.sessions.find(begun.device);
    if (session != found->second.sessions.end()) session->second.kept = true;
  }
  for (const auto& ended : news.ended) {
    const auto found = people_.find(ended.user);
    if (found == people_.end()) continue;
    auto& sessions = found->second.sessions;
    const auto session = sessions.find(ended.device);
    if (session == sessions.end()) continue;
    if (session->second.over && session->second.ended == ended.at) {
      sessions.erase(session);
      settle(ended.user, steady);
    } else {  // came back meanwhile, and is not kept as begun any more
      session->second.kept = false;
    }
  }
}

// Whoever is gone and told to be gone need not be remembered for long.
void PresenceBoard::settle(const std::string& user, Steady steady) {
  auto& person = people_[user];
  if (!person.sessions.empty() || person.told) return;
  person.forget_at = steady + times_.memory;
  deadlines_.emplace(*person.forget_at, user);
}

void PresenceBoard::again(const PresenceNews& news) {
  const std::scoped_lock lock(mutex_);
  for (const auto& change : news.changes) due_.insert(change.user);
  for (const auto& begun : news.begun) due_.insert(begun.user);
  for (const auto& ended : news.ended) due_.insert(ended.user);
}

}  // namespace chat
