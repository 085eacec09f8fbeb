// Who is to be told of their unread messages, what they were told last, and whom to ask about next. No threads, no
// clock, no store: the worker asks what questions() wants to know, and hands the answers back.
//
// Invariants
//  (1) Of a user whom nobody watches nothing is kept and nothing is asked.
//  (2) A change of a watched user's is asked about at once, and told; further ones kTellEvery later, the last one
//  always. (Who is told of nothing new is asked about again no sooner than kLookEvery later.)
//  (3) A question stays open until its answer is handed back, so one that failed is simply asked again.
//  (4) The total that is told is the sum of the rows that were told, less the muted ones.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bridge/signals/signal_reader.h"
#include "storage/unread.h"

namespace chat {

inline constexpr std::chrono::milliseconds kTellEvery{200};  // what one user is told at most
inline constexpr std::chrono::milliseconds kLookEvery{50};
inline constexpr std::size_t kUsersAtOnce = 20;      // of whom everything is asked
inline constexpr std::size_t kMembersAtOnce = 2000;  // conversations of users of whom some are asked

// What one user is to be told now.
struct UnreadNews {
  std::string user;
  bool whole = false;  // `rows` are all conversations with unread messages; else those that changed
  std::vector<UnreadRow> rows;
  std::int64_t total = 0;
  bool total_changed = false;  // or is to be told anyhow
};

// Threads: one at a time. `now` never falls; `wall` is what the store takes for the time.
class UnreadBoard {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  void hear(const SessionSignals& signals, Instant now);
  void hear(const Activity& activity, Instant now);
  // The time has come for messages that expire.
  void expire(TimeMs wall, Instant now);

  struct Questions {
    std::vector<std::string> users;  // how they stand everywhere
    std::vector<MemberKey> members;  // how they stand there

    bool empty() const { return users.empty() && members.empty(); }
  };
  Questions questions(Instant now) const;
  // The answers, each to a whole question of the last call. nullopt: there is nothing to tell.
  std::optional<UnreadNews> answer(const std::string& user, std::span<const UnreadStanding> standings, Instant now);
  std::vector<UnreadNews> answer(std::span<const UnreadStanding> standings, Instant now);

  // When there will be a question, or something expires; nullopt: not before something is heard.
  std::optional<Instant> next_question() const;
  std::optional<TimeMs> next_expiry() const;

  std::size_t watched() const { return users_.size(); }

 private:
  struct Row {
    std::int64_t unread = 0;
    std::int64_t mentions = 0;
    bool muted = false;
    TimeMs changes_at = 0;
  };
  struct Expiry {
    TimeMs at = 0;
    std::string user;
    ConvId conv = 0;

    bool operator<(const Expiry& other) const {
      return std::tie(at, user, conv) < std::tie(other.at, other.user, other.conv);
    }
  };
  struct User {
    std::string name;
    std::set<std::string> devices;  // that are connected and want to be told
    bool ask_all = true;
    bool tell_all = true;
    std::unordered_set<ConvId> touched;
    std::unordered_map<ConvId, Row> rows;  // a row for each conversation that the user is in
    std::int64_t total = 0;
    Instant not_before{};
    std::optional<Instant> queued;  // under this time in queue_
  };

  User& watch(const std::string& name);
  void forget(const std::string& name);
  User* find(const std::string& name);
  void touch(User& user, ConvId conv, Instant now);
  void enqueue(User& user, Instant now);
  void answered(User& user, bool news, Instant now);
  bool put(User& user, const UnreadStanding& standing);
  bool drop(User& user, ConvId conv);
  void take_off(User& user, ConvId conv);

  std::unordered_map<std::string, std::unique_ptr<User>> users_;
  std::unordered_map<ConvId, std::vector<User*>> members_;  // the other way round: who of users_ has a row there
  std::set<std::pair<Instant, User*>> queue_;               // those with a question
  std::set<Expiry> expiries_;
};

}  // namespace chat
