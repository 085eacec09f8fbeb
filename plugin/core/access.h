// Who may subscribe to what: a pure decision over the filter's text. What depends on membership is named, not decided:
// the conversation may not be in memory, and each delivery is checked again (Hub::may_read).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/core/topic.h"

namespace chat {

struct SubscribeDecision {
  enum class Kind : std::uint8_t {
    kOutside,       // can match none of our topics
    kEverything,    // wildcards only ("#", "+/+/#"): granted, each delivery is checked
    kOwn,           // below the user's own u/{user}/
    kConversation,  // c/{conv}/msg: granted to members of `conversation`
    kRequests,      // rpc/…: the bridge alone
    kRefused,
  };
  Kind kind = Kind::kOutside;
  bool shared = false;            // $share/…: opens no tap
  std::string_view conversation;  // a view into the filter
  std::string reason;             // with kRefused
};

// `filter` as the client sent it, "$share/…" included; already valid MQTT. `user` is empty for an anonymous client.
SubscribeDecision decide_subscribe(const TopicSpace& topics, std::string_view filter, std::string_view user,
                                   bool is_bridge);

// Whether `filter` (without $share) matches `topic`, by MQTT's rules.
bool filter_matches(std::string_view filter, std::string_view topic);

}  // namespace chat
