#include "bridge/unread/unread_board.h"

#include <algorithm>
#include <tuple>

namespace chat {
namespace {

// Beyond so many touched conversations of one user it is simpler to ask for all.
constexpr std::size_t kTouchedMax = 500;
static_assert(kTouchedMax <= kMembersAtOnce);

}  // namespace

UnreadBoard::User* UnreadBoard::find(const std::string& name) {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second.get();
}

UnreadBoard::User& UnreadBoard::watch(const std::string& name) {
  auto& user = users_[name];
  if (!user) {
    user = std::make_unique<User>();
    user->name = name;
  }
  return *user;
}

void UnreadBoard::forget(const std::string& name) {
  auto* const user = find(name);
  if (user == nullptr) return;
  if (user->queued) queue_.erase({*user->queued, user});
  for (const auto& [conv, row] : user->rows) {
    take_off(*user, conv);
    if (row.changes_at != 0) expiries_.erase({row.changes_at, name, conv});
  }
  users_.erase(name);
}

// From the list of those who are in a conversation; the row itself stays.
void UnreadBoard::take_off(User& user, ConvId conv) {
  const auto list = members_.find(conv);
  if (list == members_.end()) return;
  auto& users = list->second;
  const auto place = std::find(users.begin(), users.end(), &user);
  if (place != users.end()) {
    *place = users.back();
    users.pop_back();
  }
  if (users.empty()) members_.erase(list);
}

void UnreadBoard::enqueue(User& user, Instant now) {
  if (user.queued) return;
  user.queued = std::max(now, user.not_before);
  queue_.insert({*user.queued, &user});
}

void UnreadBoard::touch(User& user, ConvId conv, Instant now) {
  if (!user.ask_all) {
    user.touched.insert(conv);
    if (user.touched.size() > kTouchedMax) user.ask_all = true;
  }
  enqueue(user, now);
}

void UnreadBoard::hear(const SessionSignals& signals, Instant now) {
  if (signals.reset) {
    users_.clear();
    members_.clear();
    queue_.clear();
    expiries_.clear();
  }
  for (const auto& session : signals.sessions) {
    if (!session.online || !session.unread) {
      auto* const user = find(session.user);
      if (user == nullptr) continue;
      user->devices.erase(session.device);
      if (user->devices.empty()) forget(session.user);
      continue;
    }
    auto& user = watch(session.user);
    const bool fresh = user.devices.insert(session.device).second;
    if (!fresh && !session.asked) continue;
    user.ask_all = true;
    user.tell_all = true;
    enqueue(user, now);
  }
}

void UnreadBoard::hear(const Activity& activity, Instant now) {
  if (activity.everything) {
    for (auto& [name, user] : users_) {
      user->ask_all = true;
      enqueue(*user, now);
    }
    return;
  }
  for (const auto conv : activity.conversations) {
    const auto list = members_.find(conv);
    if (list == members_.end()) continue;
    for (auto* const user : list->second) touch(*user, conv, now);
  }
  for (const auto& key : activity.members) {
    if (auto* const user = find(key.user)) touch(*user, key.conv_id, now);
  }
}

void UnreadBoard::expire(TimeMs wall, Instant now) {
  while (!expiries_.empty() && expiries_.begin()->at <= wall) {
    const auto expired = expiries_.extract(expiries_.begin()).value();
    auto& user = *find(expired.user);
    user.rows.at(expired.conv).changes_at = 0;
    touch(user, expired.conv, now);
  }
}

UnreadBoard::Questions UnreadBoard::questions(Instant now) const {
  Questions questions;
  for (const auto& [at, user] : queue_) {
    if (at > now) break;
    if (user->ask_all) {  // many may ask for all at once, and hold up nobody who does not
      if (questions.users.size() < kUsersAtOnce) questions.users.push_back(user->name);
      continue;
    }
    if (questions.members.size() + user->touched.size() > kMembersAtOnce) break;
    for (const auto conv : user->touched) questions.members.push_back({conv, user->name});
  }
  return questions;
}

// Takes a user who was answered out of the queue.
void UnreadBoard::answered(User& user, bool news, Instant now) {
  if (user.queued) queue_.erase({*user.queued, &user});
  user.queued.reset();
  user.touched.clear();
  user.ask_all = false;
  user.not_before = now + (news ? kTellEvery : kLookEvery);
}

// True: the user is to be told.
bool UnreadBoard::put(User& user, const UnreadStanding& standing) {
  const auto conv = standing.key.conv_id;
  const auto [place, fresh] = user.rows.try_emplace(conv);
  if (fresh) members_[conv].push_back(&user);
  auto& row = place->second;
  const Row before = row;
  row = {standing.row.unread, standing.row.mentions, standing.row.muted, standing.changes_at};
  user.total += (row.muted ? 0 : row.unread) - (before.muted ? 0 : before.unread);
  if (before.changes_at != 0) expiries_.erase({before.changes_at, user.name, conv});
  if (row.changes_at != 0) expiries_.insert({row.changes_at, user.name, conv});
  if (row.unread == 0 && before.unread == 0) return false;
  return std::tie(row.unread, row.mentions, row.muted) != std::tie(before.unread, before.mentions, before.muted);
}

// The same, of a conversation that the user is not in.
bool UnreadBoard::drop(User& user, ConvId conv) {
  const auto place = user.rows.find(conv);
  if (place == user.rows.end()) return false;
  const Row before = place->second;
  user.total -= before.muted ? 0 : before.unread;
  if (before.changes_at != 0) expiries_.erase({before.changes_at, user.name, conv});
  take_off(user, conv);
  user.rows.erase(place);
  return before.unread > 0;
}

std::optional<UnreadNews> UnreadBoard::answer(const std::string& name, std::span<const UnreadStanding> standings,
                                              Instant now) {
  auto* const user = find(name);
  if (user == nullptr) return std::nullopt;
  UnreadNews news{.user = name, .whole = user->tell_all, .rows = {}};
  const auto total = user->total;
  std::unordered_set<ConvId> present;
  for (const auto& standing : standings) {
    present.insert(standing.key.conv_id);
    if (put(*user, standing)) news.rows.push_back(standing.row);
  }
  std::vector<ConvId> gone;
  for (const auto& [conv, row] : user->rows) {
    if (!present.contains(conv)) gone.push_back(conv);
  }
  // Their names are not known any more; a whole digest says of them that they are not there.
  for (const auto conv : gone) news.whole = drop(*user, conv) || news.whole;
  if (news.whole) {
    news.rows.clear();
    for (const auto& standing : standings) {
      if (standing.row.unread > 0) news.rows.push_back(standing.row);
    }
  }
  news.total = user->total;
  news.total_changed = news.whole || user->total != total;
  const bool tell = news.whole || !news.rows.empty();
  user->tell_all = false;
  answered(*user, tell, now);
  if (!tell) return std::nullopt;
  return news;
}

std::vector<UnreadNews> UnreadBoard::answer(std::span<const UnreadStanding> standings, Instant now) {
  std::map<std::string, UnreadNews> all;
  for (const auto& standing : standings) {
    auto* const user = find(standing.key.user);
    if (user == nullptr) continue;
    const auto [place, first] = all.try_emplace(user->name);
    auto& news = place->second;
    if (first) news.total = user->total;  // as it was told
    const bool changed = standing.member ? put(*user, standing) : drop(*user, standing.key.conv_id);
    if (changed) news.rows.push_back(standing.row);
  }
  std::vector<UnreadNews> told;
  for (auto& [name, news] : all) {
    auto* const user = find(name);
    news.user = name;
    news.total_changed = user->total != news.total;
    news.total = user->total;
    answered(*user, !news.rows.empty(), now);
    if (!news.rows.empty()) told.push_back(std::move(news));
  }
  return told;
}

std::optional<UnreadBoard::Instant> UnreadBoard::next_question() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::optional<TimeMs> UnreadBoard::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->at;
}

}  // namespace chat
