// What a user does in a conversation: send, acknowledge, recall … Each step is decided from what is in memory,
// journaled, and only then shown to anyone. A step whose conversation or sender is not in memory answers Waiting and
// has changed nothing. Thread: the broker's only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "plugin/core/admit.h"
#include "plugin/core/clock.h"
#include "plugin/core/conversation_cache.h"
#include "plugin/core/outflow.h"
#include "plugin/core/sender_cache.h"
#include "plugin/core/tail.h"
#include "plugin/core/uuid_maker.h"

namespace chat {

// Who publishes, and whether it comes from the parking place. All that it refers to outlives it.
struct Origin {
  const std::shared_ptr<User>& user;
  std::string_view device;
  Position resolves = 0;  // the parked record that this is; 0 = it comes straight from the client
  int qos = 1;
  const RecentId* known = nullptr;  // Waiting::known of an earlier time
};

// Accepted: `bytes` are what the conversation's own topic carries (null: nothing is routed there).
struct Accepted {
  Bytes bytes;
  bool journaled = false;  // a record with `resolves` was written
};

struct Waiting {
  bool conversation = false;
  bool sender = false;
  std::string conv;
  // It is a retry: of this message. By the time the conversation is in memory, other publishes of its sender may have
  // pushed the id out of the latest.
  std::optional<RecentId> known{};
};

using Outcome = std::variant<Accepted, Refusal, Waiting>;

class Conversing {
 public:
  // All references outlive the object.
  Conversing(Admitter& admitter, const TopicSpace& topics, const Clock& clock, Broker& broker, Journal& journal,
             ConversationCache& conversations, SenderCache& senders, Tail& tail, Outflow& outflow, Seq seqs_at_risk_max,
             bool require_contact);

  Outcome message(const Origin& origin, std::string_view conv, std::string_view published);
  Outcome direct(const Origin& origin, std::string_view to, std::string_view published);
  // {"to":conv,"message":…}, from the bridge: a message with the reserved field "forwarded".
  Outcome forward(const Origin& origin, std::string_view published);
  // One cursor. `session`: the device that acknowledges, or null where it is gone.
  Outcome cursor(const Origin& origin, Session* session, const AdmittedCursor& cursor);
  Outcome command(const Origin& origin, std::string_view conv, std::string_view operation, std::string_view published);
  Outcome typing(const Origin& origin, std::string_view conv, std::string_view published);

 private:
  // Both stay while nothing is put into, or taken out of, the conversations in memory.
  struct Found {
    const std::shared_ptr<Conversation>& conversation;
    const MemberEntry* member = nullptr;
  };
  // What has to be known of a conversation. One whose two may have fallen out since is waited for by what is said
  // there: once the broker has heard of a block, nothing passes it.
  enum class Needs : std::uint8_t { kMembers, kStanding };
  // The conversation with the user as its member, or why not.
  std::variant<Found, Refusal, Waiting> find(const User& user, std::string_view conv, Needs needs = Needs::kStanding);
  // Why the user may not write there, where that is a direct one.
  std::optional<Refusal> refuse_to_write(const Conversation& conversation, const User& user, std::string_view id) const;
  Outcome send(const Origin& origin, std::string_view conv, const AdmittedMessage& message);
  Outcome retry(const Origin& origin, Conversation& conversation, const RecentId& known,
                const AdmittedMessage& message);
  Refusal refuse_append(AppendResult result, std::string_view id);

  Admitter& admitter_;
  const TopicSpace& topics_;
  const Clock& clock_;
  Broker& broker_;
  Journal& journal_;
  ConversationCache& conversations_;
  SenderCache& senders_;
  Tail& tail_;
  Outflow& outflow_;
  UuidMaker uuids_;
  const Seq seqs_at_risk_max_;
  const bool require_contact_;
};

}  // namespace chat
