// Who is here, as far as the broker has told: made of the plugin's signals, without any I/O.
//
// Invariants
//  (1) A user is online while any session of theirs is, or ended so shortly ago that it may be back: a client id that
//  connects again (a takeover, another network) makes nobody offline. `takeover` is that while; behind a new link to
//  the broker, which may have crashed, it is `grace`, since its clients need some seconds to come back.
//  (2) While the link is down nothing is known and nothing changes. What ends then ends at the moment at which the link
//  was lost; what an earlier bridge knew to be here, at the moment at which that bridge was last heard of.
//  (3) Each change is handed out by take() until done() says that it was told and kept; what became void meanwhile is
//  not told at all.
// Threads: any. Times in TimeMs are the wall clock's, those of `Steady` only compared with each other.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/signals/signal_reader.h"
#include "storage/presence.h"

namespace chat {

struct PresenceTimes {
  std::chrono::milliseconds takeover{2'000};
  std::chrono::milliseconds grace{10'000};
  // How long somebody who went is remembered here: whoever read PostgreSQL just before it was written must find it.
  std::chrono::milliseconds memory{60'000};
};

struct Presence {
  bool online = false;
  TimeMs last_seen = 0;  // where not online: the end of their last session; 0: not known here

  bool operator==(const Presence&) const = default;
};

struct PresenceChange {
  std::string user;
  Presence now;

  bool operator==(const PresenceChange&) const = default;
};

// What is to be told, and to be kept.
struct PresenceNews {
  std::vector<PresenceChange> changes;
  std::vector<SessionName> begun;
  std::vector<EndedSession> ended;

  bool empty() const { return changes.empty() && begun.empty() && ended.empty(); }
};

class PresenceBoard {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  explicit PresenceBoard(PresenceTimes times = {}) : times_(times) {}

  void hear(const SessionSignals& signals, TimeMs now, Steady steady);
  void link_lost(TimeMs now);
  // What an earlier bridge left. Once, behind the start or forget().
  void recall(std::span<const KeptSession> kept, TimeMs now, Steady steady);
  // Everything: this bridge stands by.
  void forget();

  // An earlier bridge's word is there.
  bool ready() const;
  // ... and the link is up, and the broker has told who is here: find() can be relied on.
  bool current() const;

  Presence find(const std::string& user) const;
  // Whoever is online at that moment, in byte order. Whose time to come back is over is not, though nobody may have
  // come to take() that: PostgreSQL keeps the one who takes waiting.
  std::vector<std::string> online(Steady steady) const;

  // Of at most `most` users. Empty unless current().
  PresenceNews take(Steady steady, std::size_t most);
  void done(const PresenceNews& news, Steady steady);
  void again(const PresenceNews& news);  // was not told, or not kept

 private:
  struct Session {
    bool here = false;
    bool over = false;               // it is not coming back: not counted any more
    bool kept = false;               // PostgreSQL has it as begun
    TimeMs ended = 0;                // where not here
    TimeMs watches_until = 0;        // likewise: what it watches since then, it watches as a session that came back
    std::optional<Steady> deadline;  // where not here: when it is over; none: unknown while the link is down
    bool ended_by(Steady steady) const { return over || (!here && deadline && *deadline <= steady); }
  };
  struct Person {
    std::map<std::string, Session, std::less<>> sessions;  // by device
    bool told = false;                                     // as online
    TimeMs last_seen = 0;
    std::optional<Steady> forget_at;
    bool online() const;
    bool online(Steady steady) const;
  };

  void hear_one(const SessionSignal& signal, TimeMs now, Steady steady);
  void ended(Session* session, TimeMs now) const;
  void void_all(TimeMs now, std::optional<Steady> deadline);
  void look_at(const std::string& user, Steady steady, PresenceNews* news);
  void settle(const std::string& user, Steady steady);

  const PresenceTimes times_;
  mutable std::mutex mutex_;
  bool recalled_ = false;
  bool told_all_ = false;  // by the broker, since the link is up
  std::map<std::string, Person, std::less<>> people_;
  std::set<std::string> due_;                     // whom take() is to look at
  std::multimap<Steady, std::string> deadlines_;  // when it is to look at whom; too often does no harm
};

}  // namespace chat
