#include "plugin/core/conversing.h"

#include <utility>

#include "plugin/core/ack_json.h"
#include "plugin/core/direct_rule.h"
#include "plugin/core/seq_at_risk.h"
#include "plugin/core/sequencer.h"
#include "storage/json_members.h"
#include "storage/names.h"
#include "storage/stamped.h"

namespace chat {
namespace {

constexpr std::size_t kUnroutedMax = 1000;  // QoS 2 publishes per conversation that still wait for their PUBREL

// What the publish is a retry of; null: of nothing that is known.
const RecentId* known_retry(const Origin& origin, RecentIds* recent, std::string_view id, const IdHash& hash) {
  if (recent == nullptr || id.empty()) return nullptr;
  const auto* latest = recent->find(hash);
  return latest != nullptr ? latest : origin.known;
}

// What has left the tail is read from the store, which knows for itself when it expires.
void note_expiry(Conversation& conversation, const MessageView& message) {
  const auto first = conversation.last_seq - static_cast<Seq>(conversation.tail.size()) + 1;
  conversation.expiring.erase(conversation.expiring.begin(), conversation.expiring.lower_bound(first));
  conversation.expiring.emplace(message.seq, message.server_time + message.ttl_s * 1000);
}

}  // namespace

Conversing::Conversing(Admitter& admitter, const TopicSpace& topics, const Clock& clock, Broker& broker,
                       Journal& journal, ConversationCache& conversations, SenderCache& senders, Tail& tail,
                       Outflow& outflow, Seq seqs_at_risk_max, bool require_contact)
    : admitter_(admitter),
      topics_(topics),
      clock_(clock),
      broker_(broker),
      journal_(journal),
      conversations_(conversations),
      senders_(senders),
      tail_(tail),
      outflow_(outflow),
      seqs_at_risk_max_(seqs_at_risk_max),
      require_contact_(require_contact) {}

std::variant<Conversing::Found, Refusal, Waiting> Conversing::find(const User& user, std::string_view conv,
                                                                   Needs needs) {
  const auto not_member = [&] {
    return refusal_of(Code::kNotMember,
                      "User " + in_quotes(user.name) + " is not a member of " + in_quotes(conv) + ".");
  };
  const auto waiting = [&] { return Waiting{.conversation = true, .sender = false, .conv = std::string(conv)}; };
  const auto& conversation = conversations_.find(conv);
  if (!conversation) {
    if (!valid_conversation_name(conv))
      return refusal_of(Code::kNotFound, "There is no conversation " + in_quotes(conv) + ".");
    // A direct conversation's name says who its members are: nobody else has it loaded, let alone made.
    const auto users = direct_users(conv);
    if (users && user.name != users->first && user.name != users->second) return not_member();
    return waiting();
  }
  const auto* member = conversation->member(user.name);
  if (member == nullptr) return not_member();
  if (needs == Needs::kStanding && !conversation->standing_sure) return waiting();
  return Found{conversation, member};
}

std::optional<Refusal> Conversing::refuse_to_write(const Conversation& conversation, const User& user,
                                                   std::string_view id) const {
  if (conversation.kind != ConversationKind::kDirect) return std::nullopt;
  auto refusal = refuse_direct(conversation.name, conversation.standing, user.name, require_contact_);
  if (refusal) refusal->id = id;
  return refusal;
}

Outcome Conversing::message(const Origin& origin, std::string_view conv, std::string_view published) {
  auto admission = admitter_.message(published);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
  return send(origin, conv, std::get<AdmittedMessage>(admission));
}

Outcome Conversing::direct(const Origin& origin, std::string_view to, std::string_view published) {
  auto admission = admitter_.message(published);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
  auto& message = std::get<AdmittedMessage>(admission);
  if (!valid_user_name(to)) return refusal_of(Code::kNotFound, "There is no user " + in_quotes(to) + ".", message.id);
  if (to == origin.user->name) {
    return refusal_of(Code::kNotAllowed, "User " + in_quotes(to) + " can't send direct messages to itself.",
                      message.id);
  }
  auto outcome = send(origin, direct_name(origin.user->name, to), message);
  // Nobody can subscribe to d/…/msg: a direct message travels in inboxes.
  if (auto* accepted = std::get_if<Accepted>(&outcome)) accepted->bytes = nullptr;
  return outcome;
}

Outcome Conversing::forward(const Origin& origin, std::string_view published) {
  const auto to = json_text(published, "to").value_or("");
  auto admission = admitter_.message(json_member(published, "message").value_or(""), Author::kServer);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
  auto outcome = send(origin, to, std::get<AdmittedMessage>(admission));
  auto* accepted = std::get_if<Accepted>(&outcome);
  if (accepted != nullptr && accepted->bytes) {
    const auto bytes = std::exchange(accepted->bytes, nullptr);
    broker_.publish(topics_.conversation(to, "msg"), *bytes, 1);
  }
  return outcome;
}

Outcome Conversing::send(const Origin& origin, std::string_view conv, const AdmittedMessage& message) {
  const IdHash id_hash(message.id);
  auto found = find(*origin.user, conv);
  auto* recent = senders_.find(origin.user);
  if (auto* waiting = std::get_if<Waiting>(&found)) {
    waiting->sender = recent == nullptr;
    if (const auto* known = known_retry(origin, recent, message.id, id_hash)) waiting->known = *known;
    return std::move(*waiting);
  }
  if (auto* refusal = std::get_if<Refusal>(&found)) {
    refusal->id = message.id;
    return std::move(*refusal);
  }
  if (recent == nullptr) return Waiting{.conversation = false, .sender = true, .conv = std::string(conv)};
  auto& [conversation, member] = std::get<Found>(found);

  if (const auto* known = known_retry(origin, recent, message.id, id_hash)) {
    return retry(origin, *conversation, *known, message);
  }
  if (auto refusal = refuse_to_write(*conversation, *origin.user, message.id)) return *std::move(refusal);
  if (conversation->announcement && member->role == Role::kMember) {
    return refusal_of(Code::kNotAllowed, "Only the owner and admins send to " + in_quotes(conv) + ".", message.id);
  }
  if (message.reply_to > conversation->last_seq) {
    return refusal_of(Code::kBadField,
                      "\"reply_to\" " + std::to_string(message.reply_to) + " is above the last message, " +
                          std::to_string(conversation->last_seq) + ".",
                      message.id);
  }

  if (!may_risk_one_more(*conversation, journal_.synced(), seqs_at_risk_max_)) {
    return refusal_of(Code::kUnavailable,
                      "Too many messages of " + in_quotes(conv) +
                          " are neither in the server's database nor on its disk yet: send it again later.",
                      message.id);
  }

  const auto now = clock_.now();
  const auto its_place = place(*conversation, std::max(now, recent->next_time()));
  const MessageView kept{.conv_id = conversation->id,
                         .conv = conversation->name,
                         .seq = its_place.seq,
                         .server_time = its_place.server_time,
                         .sender = origin.user->name,
                         .id = message.id,
                         .mid = uuids_.make(now),
                         .type = message.type,
                         .reply_to = message.reply_to,
                         .ttl_s = message.ttl_s,
                         .mentions = message.mentions,
                         .payload = message.payload,
                         .device = origin.device,
                         .resolves = origin.resolves};
  const auto appended = journal_.append(kept, nullptr);
  if (appended != AppendResult::kOk) return refuse_append(appended, kept.id);

  take(*conversation, its_place);
  conversation->last_position = journal_.end();
  if (!kept.id.empty()) {
    senders_.remember(origin.user, {.hash = id_hash,
                                    .payload_hash = RecentIds::payload_hash(kept.payload),
                                    .conv_id = kept.conv_id,
                                    .seq = kept.seq,
                                    .server_time = kept.server_time,
                                    .mid = kept.mid});
  }
  if (origin.qos == 2 && origin.resolves == 0) {
    conversation->unrouted.insert(kept.seq);
    if (conversation->unrouted.size() > kUnroutedMax) conversation->unrouted.erase(conversation->unrouted.begin());
  }
  auto bytes = tail_.push(*conversation, stamped_most(kept.conv, kept.sender, kept.payload), [&kept](char* to) {
    return stamp(to, kept.conv, kept.seq, kept.server_time, kept.sender, kept.mid, kept.payload);
  });
  if (kept.ttl_s > 0) note_expiry(*conversation, kept);
  outflow_.live(*conversation, kept.seq, bytes);
  return Accepted{.bytes = std::move(bytes), .journaled = true};
}

Outcome Conversing::retry(const Origin& origin, Conversation& conversation, const RecentId& known,
                          const AdmittedMessage& message) {
  const bool same = known.any_payload || known.payload_hash == RecentIds::payload_hash(message.payload);
  if (known.conv_id != conversation.id || !same) {
    return refusal_of(Code::kIdConflict, "The id " + in_quotes(message.id) + " was used for another message already.",
                      message.id);
  }
  // The sender may have missed the acknowledgement; where the commit is still to come, so is the acknowledgement.
  if (known.seq <= conversation.committed_seq) {
    AckJson ack;
    ack.add(message.id, conversation.name, known.seq, known.server_time);
    broker_.publish(topics_.user(origin.user->name, user_topic::kAck), ack.take(), 1);
  }
  // A QoS 2 duplicate in front of its PUBREL takes the first copy's place in the broker: it must be the same bytes. In
  // all other cases the message was routed already, and reaches nobody twice.
  if (origin.qos == 2 && origin.resolves == 0 && conversation.unrouted.contains(known.seq)) {
    // A recall may have changed them since: then the tail has the new ones, and nothing else may pass.
    if (const auto* bytes = conversation.in_tail(known.seq)) return Accepted{.bytes = *bytes, .journaled = false};
  }
  return Accepted{};
}

Outcome Conversing::cursor(const Origin& origin, Session* session, const AdmittedCursor& cursor) {
  const auto too_high = [&](Seq last) {
    return refusal_of(Code::kBadField, "Conversation " + in_quotes(cursor.conv) + " has no message " +
                                           std::to_string(cursor.delivered) +
                                           (last >= 0 ? " yet: its last is " + std::to_string(last) : " yet") + ".");
  };
  ConvId conv_id = 0;
  auto known = Outflow::Acknowledged::kNoLane;
  if (session != nullptr) known = outflow_.acknowledged(*session, cursor.conv, cursor.delivered, cursor.rev, &conv_id);
  if (known == Outflow::Acknowledged::kTooHigh) return too_high(-1);
  if (known == Outflow::Acknowledged::kKnown && cursor.read == 0) return Accepted{};
  if (known == Outflow::Acknowledged::kNoLane) {
    // How the two stand to each other does not matter, and to wait for it could let the device be given again what it
    // has acknowledged.
    auto found = find(*origin.user, cursor.conv, Needs::kMembers);
    if (auto* waiting = std::get_if<Waiting>(&found)) return std::move(*waiting);
    if (auto* refusal = std::get_if<Refusal>(&found)) return std::move(*refusal);
    const auto& conversation = *std::get<Found>(found).conversation;
    if (cursor.delivered > conversation.last_seq) return too_high(conversation.last_seq);
    conv_id = conversation.id;
  }
  const auto appended = journal_.append(CursorRecord{.cursor = {.conv_id = conv_id,
                                                                .user = origin.user->name,
                                                                .device = std::string(origin.device),
                                                                .delivered = cursor.delivered,
                                                                .rev = cursor.rev,
                                                                .read = cursor.read,
                                                                .at = clock_.now()},
                                                     .resolves = origin.resolves},
                                        nullptr);
  if (appended != AppendResult::kOk) return refuse_append(appended, {});
  if (session != nullptr) outflow_.journaled(*session, cursor.conv, cursor.delivered, cursor.rev);
  return Accepted{.bytes = nullptr, .journaled = true};
}

Outcome Conversing::command(const Origin& origin, std::string_view conv, std::string_view operation,
                            std::string_view published) {
  auto admission = admitter_.command(operation, published);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
  const auto& command = std::get<AdmittedCommand>(admission);
  // It needs nothing of its sender's, but the message that it is about may: neither goes before the other.
  const bool sender_waits = senders_.find(origin.user) == nullptr;
  auto found = find(*origin.user, conv);
  if (auto* waiting = std::get_if<Waiting>(&found)) {
    waiting->sender = sender_waits;
    return std::move(*waiting);
  }
  if (auto* refusal = std::get_if<Refusal>(&found)) {
    refusal->id = command.id;
    return std::move(*refusal);
  }
  if (sender_waits) return Waiting{.conversation = false, .sender = true, .conv = std::string(conv)};
  const auto& conversation = *std::get<Found>(found).conversation;
  // To take something back is always allowed; an edit or a reaction says something new.
  if (operation != "recall") {
    if (auto refusal = refuse_to_write(conversation, *origin.user, command.id)) return *std::move(refusal);
  }
  if (command.seq > conversation.last_seq) {
    return refusal_of(Code::kNotFound,
                      "Conversation " + in_quotes(conv) + " has no message " + std::to_string(command.seq) + ".",
                      command.id);
  }
  const auto appended = journal_.append(CommandRecord{.command = {.position = 0,
                                                                  .conv_id = conversation.id,
                                                                  .operation = std::string(operation),
                                                                  .user = origin.user->name,
                                                                  .device = std::string(origin.device),
                                                                  .server_time = clock_.now(),
                                                                  .payload = std::string(command.payload)},
                                                      .resolves = origin.resolves},
                                        nullptr);
  if (appended != AppendResult::kOk) return refuse_append(appended, command.id);
  return Accepted{.bytes = nullptr, .journaled = true};
}

Outcome Conversing::typing(const Origin& origin, std::string_view conv, std::string_view published) {
  auto admission = admitter_.typing(published);
  if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
  auto found = find(*origin.user, conv);
  if (auto* waiting = std::get_if<Waiting>(&found)) return std::move(*waiting);
  if (auto* refusal = std::get_if<Refusal>(&found)) return std::move(*refusal);
  const auto& conversation = *std::get<Found>(found).conversation;
  if (auto refusal = refuse_to_write(conversation, *origin.user, {})) return *std::move(refusal);
  const std::string sign = "{\"conv\":\"" + conversation.name + "\",\"user\":\"" + origin.user->name +
                           "\",\"on\":" + (std::get<AdmittedTyping>(admission).on ? "true" : "false") + "}";
  for (const auto& member : conversation.members) {
    if (member.user == origin.user || member.user->sessions.empty()) continue;
    broker_.publish(topics_.user(member.user->name, user_topic::kTyping), sign, 0);
  }
  return Accepted{};
}

Refusal Conversing::refuse_append(AppendResult result, std::string_view id) {
  if (result == AppendResult::kFull) {
    return refusal_of(Code::kStorageFull,
                      "The server's journal is full until its database has caught up: send it again later.", id);
  }
  return refusal_of(Code::kUnavailable, "The server can't write to its disk: send it again later.", id);
}

}  // namespace chat
