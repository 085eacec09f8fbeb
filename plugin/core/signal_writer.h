// What the bridge is told of sessions: who is connected, and who wants to see unread counters. It has no other way to
// know: a broker shows a client nothing of the other clients.
//
// What changed is gathered and told at the next tick(), so that 5,000 clients who reconnect at once are some twenty
// publishes and not 5,000, which would overflow the bridge's queue in the broker. Each publish has a number: a bridge
// that sees a hole connects anew, and whenever one subscribes all sessions are told.
// Thread: the broker's only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/core/directory.h"
#include "plugin/core/ports.h"
#include "plugin/core/string_map.h"

namespace chat {

class SignalWriter {
 public:
  static constexpr std::size_t kSessionsAtOnce = 250;  // in one publish: about 25 KiB

  // `seal`: what each payload starts with, an object that is still open. The references outlive the object.
  SignalWriter(std::string topic, std::string seal, std::string bridge_user, Broker& broker, Directory& directory);

  // A bridge reads signals from now on. At the next tick all sessions are told, to whoever listens.
  void bridge_came() { snapshot_due_ = true; }
  // Nobody listens any more: nothing is gathered until somebody comes.
  void bridge_went();

  // The session is new, is about to end, or wants something else than before.
  void changed(const Session& session) { gather(session); }
  // It has subscribed to its unread counters, or asked for what is its own: the present value is due.
  void asked(const Session& session);

  void tick();

 private:
  struct News {
    std::string user;
    std::string device;
    bool asked = false;
  };

  News* gather(const Session& session);
  void tell_all();
  void tell_news();
  void add(std::string_view user, std::string_view device, const Session* session, bool asked);
  void publish();

  const std::string topic_;
  const std::string seal_;
  const std::string bridge_user_;
  Broker& broker_;
  Directory& directory_;
  bool listened_ = false;
  bool snapshot_due_ = false;
  bool reset_ = false;        // the next publish starts a snapshot
  std::uint64_t number_ = 0;  // of the last publish
  StringMap<News> news_;      // by user and device
  std::string sessions_;      // of the publish that is being made
  std::size_t count_ = 0;     // ... how many
};

}  // namespace chat
