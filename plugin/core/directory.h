// Who is here: the users the broker's thread knows of, and their connected devices.
//
// Invariants
//  (1) A session is of one connection: when another connection takes the client id over, the session is made anew, and
//  what
//      still arrives for the old connection finds nothing.
//  (2) A user's object lives as long as somebody needs it (a session, a conversation in memory, a parked publish).
// Thread: the broker's only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/recent_ids.h"
#include "plugin/core/string_map.h"
#include "plugin/core/tap.h"

namespace chat {

struct Session;

struct User {
  std::string name;
  std::vector<Session*> sessions;  // connected devices
  int pins = 0;  // parked publishes that wait for their conversation only: until that is loaded, `recent` stays
  std::unique_ptr<RecentIds> recent;                        // null: not in memory, see SenderCache
  std::list<std::shared_ptr<User>>::iterator recent_place;  // in the SenderCache, while `recent` is set
};

// A client as the broker shows it in a callback.
struct ClientRef {
  const void* handle = nullptr;  // identity of the connection; never dereferenced here
  std::string_view device;       // the MQTT client id
  std::string_view user;         // empty: anonymous
};

struct Session {
  struct Filter {
    std::string text;
    int qos = 1;
  };
  std::string device;
  std::shared_ptr<User> user;
  const void* handle = nullptr;
  std::uint64_t generation = 0;  // unique for the broker's run: tells late answers from wanted ones
  std::vector<Filter> filters;   // granted, and covering what the plugin hands out: there are few such filters
  bool has_others = false;       // of its own, which bring nothing from the plugin
  bool wants_inbox = false;
  bool wants_event = false;
  bool wants_sync = false;
  bool wants_unread = false;  // the counters, as digest or as total
  bool signalled = false;     // SignalWriter knows of it
  bool subscribed = false;    // the broker was seen to keep subscriptions of it
  bool surplus = false;       // the user has too many devices: this one is about to be disconnected
  int qos = 1;                // of what is sent to the device: 0 or 1, the most of its subscriptions to what is sent
  Tap tap;
};

class Directory {
 public:
  // The session of this connection, made if it is new. `dropped` is called first for a session that it replaces.
  Session& touch(const ClientRef& client, const std::function<void(Session&)>& dropped);

  // The session of this very connection, or null.
  Session* find(const void* handle, std::string_view device);
  Session* find_device(std::string_view device);
  Session* find_generation(std::string_view device, std::uint64_t generation);
  void erase(Session& session);

  std::shared_ptr<User> user(std::string_view name);  // made if it is new
  std::shared_ptr<User> find_user(std::string_view name);

  std::size_t session_count() const { return sessions_.size(); }
  template <typename Visit>
  void each_session(Visit visit) {
    for (auto& [device, session] : sessions_) visit(*session);
  }

 private:
  static constexpr std::size_t kLatest = 256;
  static std::size_t latest_place(const void* handle);

  StringMap<std::unique_ptr<Session>> sessions_;
  // Some that were found lately, by their handles: who publishes has published before.
  std::array<Session*, kLatest> latest_{};
  // Shared with the users' deleters, which may run behind the directory's own end.
  using UserIndex = StringMap<std::weak_ptr<User>>;
  std::shared_ptr<UserIndex> users_ = std::make_shared<UserIndex>();
  std::uint64_t generations_ = 0;
};

}  // namespace chat
