// The topics that clients publish to and read from: one place that knows how they are spelled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

enum class PublishKind : std::uint8_t {
  kMessage,    // c/{conv}/msg
  kDirect,     // d/{user}/msg
  kDelivered,  // c/{conv}/delivered
  kRead,       // c/{conv}/read
  kAckMany,    // ack
  kRecall,
  kEdit,
  kReact,      // c/{conv}/…
  kTyping,     // c/{conv}/typing
  kSync,       // sync
  kRpc,        // rpc/{operation}
  kSignal,     // rpc/signal/sessions: from the plugin to the bridge
  kUserTopic,  // u/{user}/…: the server's side; only the bridge writes there
  kForward,    // u/{user}/order/forward: from the bridge to the plugin, nobody reads it; so is the next
  kKick,       // u/{user}/order/kick
  kUnknown,    // under the prefix, but nothing that anybody publishes to
};

struct PublishTopic {
  PublishKind kind = PublishKind::kUnknown;
  std::string_view name;       // the conversation, or the user of kDirect and of all below u/; a view into the topic
  std::string_view operation;  // of kRpc
};

// Below u/{user}/, where only the bridge publishes.
constexpr bool of_the_server(PublishKind kind) {
  return kind == PublishKind::kUserTopic || kind == PublishKind::kForward || kind == PublishKind::kKick;
}

// What comes to a user, below u/{user}/.
namespace user_topic {
inline constexpr std::string_view kInbox = "inbox";
inline constexpr std::string_view kEvent = "event";
inline constexpr std::string_view kAck = "ack";
inline constexpr std::string_view kSync = "sync";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kTyping = "typing";
inline constexpr std::string_view kUnread = "unread";
inline constexpr std::string_view kUnreadTotal = "unread/total";
}  // namespace user_topic

// All topics under one prefix. Immutable; safe from any thread.
class TopicSpace {
 public:
  // `prefix`: one or more non-empty levels without wildcards, not starting with '$': see valid_prefix().
  explicit TopicSpace(std::string prefix);
  static bool valid_prefix(std::string_view prefix);

  const std::string& prefix() const { return prefix_; }

  // The topic without prefix and slash; nullopt for a topic that is not ours.
  std::optional<std::string_view> below_prefix(std::string_view topic) const;

  // nullopt for a topic that is not ours. Names are not checked for validity or existence.
  std::optional<PublishTopic> parse(std::string_view topic) const;

  std::string signal() const;                                                    // rpc/signal/sessions
  std::string request(std::string_view operation) const;                         // rpc/{operation}
  std::string user(std::string_view user, std::string_view leaf) const;          // u/{user}/{leaf}
  std::string conversation(std::string_view conv, std::string_view leaf) const;  // c/{conv}/{leaf}

 private:
  std::string prefix_;
};

}  // namespace chat
