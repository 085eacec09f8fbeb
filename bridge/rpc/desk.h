// The desk where requests are answered: from an MQTT message to the MQTT message that answers it, without any MQTT.
//
// Invariants
//  (1) Every request whose envelope names a user gets exactly one answer, whatever its bytes are and whatever its
//  handler does. (2) An answer goes only to a topic under {prefix}/u/{user}/ of the user that the envelope names, and
//  to no wildcard. (3) A request whose answer has no usable place is not carried out.
// Threads: const, so any, if the handlers allow that; the bridge calls it on its worker's thread and refuses on the
// link's.
#pragma once

#include <optional>
#include <string>

#include "bridge/rpc/message.h"
#include "bridge/rpc/registry.h"

namespace chat {

// What became of a message: the answer, and what a log line may say of it (never the payload).
struct Handled {
  std::optional<Outgoing> answer;  // none: the envelope names nobody, see `trouble`
  std::string operation;
  std::string user;
  std::string device;
  std::string code;     // of the refusal; empty = answered with ok
  std::string trouble;  // something that the operator should know; empty = nothing
};

class Desk {
 public:
  // `registry` outlives the desk.
  Desk(std::string prefix, const Registry& registry);

  // Never throws but for lack of memory.
  Handled answer(const Incoming& incoming) const;

  // Refuses without running a handler: for a request that there is no room or no time for.
  Handled refuse(const Incoming& incoming, const std::string& code, const std::string& reason) const;

 private:
  Handled handle(const Incoming& incoming, const Reply* fixed) const;
  Reply run(const Request& request, std::string* trouble) const;

  const std::string prefix_;
  const Registry& registry_;
};

}  // namespace chat
