// What the plugin tells of its sessions: who is connected, and who wants to see unread counters.
//
//   {"seal":"…","n":1,"reset":true,"sessions":[{"user":"alice","device":"phone","online":true,"unread":true,"asked":true}]}
//
// Why it is believed: as the envelope (bridge/rpc/envelope.h). `n` counts publishes since the last snapshot began; a
// hole means that the broker dropped one, and that a new snapshot is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

struct SessionSignal {
  std::string user;
  std::string device;
  bool online = false;
  bool unread = false;  // wants the unread counters
  bool asked = false;   // ... and is to get their present values now
};

struct SessionSignals {
  bool reset = false;  // what was known before is void: what follows is all there is
  std::vector<SessionSignal> sessions;
};

// {prefix}/rpc/signal/sessions
std::string signal_topic(std::string_view prefix);

// Reads one publish after the other. Threads: one at a time.
class SignalReader {
 public:
  // nullopt: a publish is missing before this one, or this one is no signal; `why` says which, in a sentence. Until a
  // snapshot comes, nothing that this answers is to be relied on.
  std::optional<SessionSignals> read(std::string_view payload, std::string* why);

 private:
  std::uint64_t last_ = 0;
  bool whole_ = false;  // a snapshot was begun, and nothing is missing since
};

}  // namespace chat
