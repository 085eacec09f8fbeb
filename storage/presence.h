// What is kept of who is here, and of who wants to know. What is true at the moment is not here: the broker tells it to
// the bridge (bridge/presence/presence_board.h), and this is what the next bridge starts from.
//
// Threads: one object belongs to one thread at a time; interrupt() any. Every call may block on the network and throw
// StoreUnavailable; the next one reconnects by itself. Each may be repeated: what was kept already changes nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

struct SessionName {
  std::string user;
  std::string device;

  bool operator==(const SessionName&) const = default;
};

struct EndedSession {
  std::string user;
  std::string device;
  TimeMs at = 0;
  TimeMs watches_until = 0;  // which of its watches end with it

  bool operator==(const EndedSession&) const = default;
};

// A session that an earlier bridge knew.
struct KeptSession {
  std::string user;
  std::string device;
  bool told = false;   // those who watch were told that it came; otherwise it only left watches
  TimeMs here_at = 0;  // then it was here for certain
};

// What may be said of a user to the one who asks.
struct Sighting {
  std::string user;
  bool exists = false;
  bool may_see = false;
  TimeMs last_seen = 0;  // 0: never, as far as is kept
};

struct Watch {
  std::string user;  // wants to know
  std::string watched;

  bool operator==(const Watch&) const = default;
};

class PresenceStore {
 public:
  virtual ~PresenceStore() = default;

  virtual std::vector<KeptSession> kept() = 0;

  // In one transaction: sessions that came, sessions that ended (with what they watched; it is when device and user
  // were last seen), and that all others were here at `now`.
  virtual void keep(std::span<const SessionName> begun, std::span<const EndedSession> ended, TimeMs now) = 0;

  // Who watches one of these users and may see them, each pair once however many devices watch.
  virtual std::vector<Watch> watchers(std::span<const std::string> users) = 0;

  // One for each of the users, in their order.
  virtual std::vector<Sighting> sightings(const std::string& asker, std::span<const std::string> users) = 0;

  // That this session watches those users from `now` on, or no longer.
  virtual void watch(const SessionName& session, std::span<const std::string> users, TimeMs now) = 0;
  virtual void unwatch(const SessionName& session, std::span<const std::string> users) = 0;

  // Makes a call that is blocked, and all later ones, fail soon with StoreUnavailable.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<PresenceStore> open_postgres_presence(const std::string& uri, std::string_view application_name);

}  // namespace chat
