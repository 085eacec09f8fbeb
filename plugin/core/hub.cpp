#include "plugin/core/hub.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "storage/json_members.h"
#include "storage/names.h"
#include "storage/stamped.h"

namespace chat {
namespace {

// Loads under way at once beyond which those that no parked publish waits for are not asked for: while PostgreSQL is
// away, names that somebody invents must not fill the memory.
constexpr std::size_t kUnparkedLoadsMax = 2 * Parking::kCountMax;

// What a subscription makes the plugin hand to a device, beside the counters.
constexpr std::array kFeeds{user_topic::kInbox, user_topic::kEvent, user_topic::kSync};

std::string random_seal() {
  std::random_device device;
  std::string hex;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> part{};
    std::snprintf(part.data(), part.size(), "%08x", device());
    hex += part.data();
  }
  return "{\"seal\":\"" + hex + "\",";
}

std::string_view operation_of(PublishKind kind) {
  return kind == PublishKind::kRecall ? "recall" : kind == PublishKind::kEdit ? "edit" : "react";
}

}  // namespace

Hub::Hub(const HubOptions& options, const Clock& clock, Broker& broker, Requests& requests, Journal& journal)
    : options_(options),
      topics_(options.prefix),
      clock_(clock),
      broker_(broker),
      requests_(requests),
      journal_(journal),
      conversations_(options.cache_bytes / 4 * 3),
      senders_(options.cache_bytes / 4, options.recent_ids),
      tail_(options.tail_bytes),
      outflow_(options.outflow, topics_, clock, broker, requests, journal, conversations_, directory_),
      admitter_(options.message_bytes_max),
      conversing_(admitter_, topics_, clock, broker, journal, conversations_, senders_, tail_, outflow_,
                  options.seqs_at_risk_max, options.require_contact),
      seal_(random_seal()),
      signals_(topics_.signal(), seal_, options.bridge_user, broker, directory_),
      rates_(options.rates, clock),
      crowd_(clock, [this](const std::string& user, const std::string& error, int qos) {
        broker_.publish(topics_.user(user, user_topic::kError), error, qos);
      }) {}

Hub::~Hub() = default;

// ---- access
// -------------------------------------------------------------------------------------------------------------

Session* Hub::touch(const ClientRef& client) {
  // Who was here before and for whom all that is below was done: nearly everybody.
  auto* known = directory_.find(client.handle, client.device);
  if (known != nullptr && known->user->name == client.user && known->signalled && known->user->recent) return known;
  if (!valid_user_name(client.user) || !valid_device_name(client.device) || no_more_devices(client)) return nullptr;
  auto& session = directory_.touch(client, [this](Session& old) {
    signals_.changed(old);
    outflow_.close(old);
  });
  if (!std::exchange(session.signalled, true)) {
    signals_.changed(session);
    make_room(session);
  }
  if (!session.user->recent && client.user != options_.bridge_user) ask_user(session.user->name);
  return &session;
}

Access Hub::may_subscribe(const ClientRef& client, std::string_view filter, int qos) {
  expire_write();
  const bool is_bridge = client.user == options_.bridge_user;
  const auto decision = decide_subscribe(topics_, filter, client.user, is_bridge);
  using Kind = SubscribeDecision::Kind;
  if (decision.kind == Kind::kOutside) return Access::kOutside;
  // The broker asks once more about the subscriptions that a session keeps, just before it ends the connection: whoever
  // has used up what they may ask must not lose them for that.
  if (kicking_) {
    if (decision.kind == Kind::kRefused) return Access::kRefused;
    return decision.kind == Kind::kEverything ? Access::kOutside : Access::kGranted;
  }
  const auto refuse_filter = [&](Code code, const std::string& reason) {
    if (valid_user_name(client.user))
      say_refused(std::string(client.user), filter, {.code = code, .reason = reason, .id = {}});
    return Access::kRefused;
  };
  if (over_rate(client, filter)) return Access::kRefused;
  if (decision.kind == Kind::kRefused) return refuse_filter(Code::kNotAllowed, decision.reason);
  if (decision.kind == Kind::kRequests) {
    bridges_.push_back(client.handle);
    signals_.bridge_came();
    return Access::kGranted;
  }
  auto* session = touch(client);
  if (session == nullptr) {
    return decision.kind == Kind::kEverything ? Access::kOutside
                                              : refuse_filter(Code::kNotAllowed, why_no_session(client));
  }
  if (decision.kind == Kind::kConversation) {
    const std::string conv(decision.conversation);
    const auto reason = "User " + in_quotes(client.user) + " is not a member of " + in_quotes(conv) + ".";
    const auto users = direct_users(conv);
    if (!valid_conversation_name(conv) || (users && client.user != users->first && client.user != users->second)) {
      return refuse_filter(Code::kNotMember, reason);
    }
    const auto conversation = conversations_.find(conv);
    if (conversation && conversation->member(client.user) == nullptr) return refuse_filter(Code::kNotMember, reason);
    if (!conversation && asked_conversations_.size() < kUnparkedLoadsMax) {
      auto& watching = watchers_[conv];
      if (std::find(watching.begin(), watching.end(), client.user) == watching.end())
        watching.emplace_back(client.user);
      ask_conversation(conv);
    }
    return Access::kGranted;
  }
  // A filter that covers the user's own topics: it may open the tap. $share does not: what comes here is for one
  // device.
  if (!decision.shared && feeds(filter, session->user->name)) {
    std::erase_if(session->filters, [&](const Session::Filter& known) { return known.text == filter; });
    session->filters.push_back({.text = std::string(filter), .qos = std::min(1, qos)});
    const bool inbox = session->wants_inbox;
    const bool event = session->wants_event;
    update_wants(*session);
    const bool more = session->wants_inbox != inbox || session->wants_event != event;
    if (more) outflow_.open(*session);
    if (covers_unread(filter, session->user->name)) signals_.asked(*session);
  } else if (!decision.shared) {
    session->has_others = true;
  }
  // "#" also covers what is not ours: there, whoever decides about the rest decides.
  return decision.kind == Kind::kEverything ? Access::kOutside : Access::kGranted;
}

Access Hub::may_unsubscribe(const ClientRef& client, std::string_view filter) {
  expire_write();
  auto* session = directory_.find(client.handle, client.device);
  const auto same = [&](const Session::Filter& known) { return known.text == filter; };
  if (session != nullptr && std::erase_if(session->filters, same) > 0) {
    const bool wanted = session->wants_inbox || session->wants_event;
    signals_.changed(*session);
    update_wants(*session);
    if (wanted && !session->wants_inbox && !session->wants_event) outflow_.close(*session);
  }
  const bool ours = decide_subscribe(topics_, filter, client.user, true).kind != SubscribeDecision::Kind::kOutside;
  return ours ? Access::kGranted : Access::kOutside;
}

bool Hub::covers_unread(std::string_view filter, std::string_view user) const {
  return filter_matches(filter, topics_.user(user, user_topic::kUnread)) ||
         filter_matches(filter, topics_.user(user, user_topic::kUnreadTotal));
}

// Whether anything that update_wants() looks for comes through it. Others are not kept: somebody who subscribes to ten
// thousand topics below their own would have each of them looked at with each further one.
bool Hub::feeds(std::string_view filter, std::string_view user) const {
  return covers_unread(filter, user) || std::any_of(kFeeds.begin(), kFeeds.end(), [&](std::string_view leaf) {
           return filter_matches(filter, topics_.user(user, leaf));
         });
}

void Hub::update_wants(Session& session) {
  int qos = -1;
  const auto covers = [&](std::string_view leaf) {
    const auto topic = topics_.user(session.user->name, leaf);
    bool covered = false;
    for (const auto& filter : session.filters) {
      if (!filter_matches(filter.text, topic)) continue;
      covered = true;
      qos = std::max(qos, filter.qos);
    }
    return covered;
  };
  session.wants_inbox = covers(user_topic::kInbox);
  session.wants_event = covers(user_topic::kEvent);
  session.wants_sync = covers(user_topic::kSync);
  session.wants_unread = std::any_of(session.filters.begin(), session.filters.end(), [&](const auto& filter) {
    return covers_unread(filter.text, session.user->name);
  });
  if (qos >= 0) session.qos = qos;
}

Access Hub::may_write(const ClientRef& client, std::string_view topic) {
  const bool will = dead_ != nullptr && dead_ == client.handle;
  expire_write();
  const auto* parsed = latest_topics_.parse(topic);
  if (parsed == nullptr) return Access::kOutside;
  if (!valid_user_name(client.user)) return Access::kRefused;
  if (will) {
    say_refused(std::string(client.user), topic,
                {.code = Code::kNotAllowed, .reason = "A last will can't go to " + in_quotes(topic) + ".", .id = {}});
    return Access::kRefused;
  }
  // Wills of connections that were taken over or end with the broker pass here too, unseen: the server's own topics are
  // closed to them at once, and on all others may_read() gives nobody what was not stamped.
  if (of_the_server(parsed->kind) && client.user != options_.bridge_user) {
    if (over_rate(client, topic, parsed->kind, {})) return Access::kRefused;
    say_refused(
        std::string(client.user), topic,
        {.code = Code::kNotAllowed, .reason = "Only the server publishes to " + in_quotes(topic) + ".", .id = {}});
    return Access::kRefused;
  }
  pending_write_.waits = true;
  pending_write_.topic = topic;
  pending_write_.user = client.user;
  return Access::kGranted;
}

// A write that was granted and not followed by its message was a last will that the order of events hid: say so.
void Hub::expire_write() {
  dead_ = nullptr;
  if (!std::exchange(pending_write_.waits, false)) return;
  const auto& write = pending_write_;
  if (write.user == options_.bridge_user) return;
  say_refused(
      write.user, write.topic,
      {.code = Code::kNotAllowed, .reason = "A last will can't go to " + in_quotes(write.topic) + ".", .id = {}});
}

Access Hub::may_read(const ClientRef& client, std::string_view topic, std::string_view payload) {
  const auto* parsed = latest_topics_.parse(topic);
  // The bare prefix is ours too: a will that was taken over could lie there.
  if (parsed == nullptr) return Access::kOutside;
  if (parsed->kind == PublishKind::kUserTopic) {
    return !client.user.empty() && parsed->name == client.user ? Access::kGranted : Access::kRefused;
  }
  if (parsed->kind == PublishKind::kRpc || parsed->kind == PublishKind::kSignal) {
    const bool sealed = payload.starts_with(seal_);
    return sealed && client.user == options_.bridge_user ? Access::kGranted : Access::kRefused;
  }
  if (parsed->kind != PublishKind::kMessage) return Access::kRefused;
  auto* conversation = conversations_.peek(parsed->name);
  if (conversation == nullptr || conversation->member(client.user) == nullptr) return Access::kRefused;
  const auto seq = conversation->seq_of(payload);
  if (seq == 0) return Access::kRefused;
  if (!conversation->unrouted.empty()) conversation->unrouted.erase(seq);
  return Access::kGranted;
}

void Hub::disconnected(const void* handle, std::string_view device) {
  expire_write();
  dead_ = handle;
  std::erase_if(ending_, [&](const Ending& one) { return one.handle == handle; });
  if (std::erase(bridges_, handle) > 0 && bridges_.empty()) signals_.bridge_went();
  auto* session = directory_.find(handle, device);
  if (session == nullptr) return;
  signals_.changed(*session);
  outflow_.close(*session);
  directory_.erase(*session);
}

bool Hub::taken_over(const void* handle, std::string_view device) {
  const auto* session = directory_.find_device(device);
  return session != nullptr && session->handle != handle;
}

bool Hub::is_session(std::string_view device, std::uint64_t generation) {
  auto* session = directory_.find_device(device);
  if (session == nullptr || session->generation != generation) return false;
  const bool subscribed = broker_.subscriptions(session->handle) > 0;
  session->subscribed = session->subscribed || subscribed;
  return subscribed || !session->subscribed;
}

// ---- publishing
// ---------------------------------------------------------------------------------------------------------

PublishVerdict Hub::published(const ClientRef& client, std::string_view topic, std::string_view payload, int qos) {
  pending_write_.waits = false;
  dead_ = nullptr;
  const auto* parsed = latest_topics_.parse(topic);
  if (parsed == nullptr) return {};
  const bool is_bridge = client.user == options_.bridge_user;
  if (is_bridge && parsed->kind == PublishKind::kUserTopic)
    return {.kind = PublishVerdict::Kind::kUntouched, .payload = nullptr};
  if (is_bridge && of_the_server(parsed->kind)) return carry_out(topic, *parsed, payload);
  if (is_bridge || of_the_server(parsed->kind)) {
    return refuse(client, topic,
                  {.code = Code::kNotAllowed,
                   .reason = "User " + in_quotes(client.user) + " can't publish to " + in_quotes(topic) + ".",
                   .id = {}});
  }
  if (over_rate(client, topic, parsed->kind, payload))
    return {.kind = PublishVerdict::Kind::kRefuse, .payload = nullptr, .quota = true};
  auto* session = touch(client);
  if (session == nullptr) {
    return refuse(client, topic, {.code = Code::kNotAllowed, .reason = why_no_session(client), .id = {}});
  }
  if (!unknown_users_.empty() && unknown_users_.contains(client.user)) {
    return refuse(
        client, topic,
        {.code = Code::kNotAllowed, .reason = "User " + in_quotes(client.user) + " was never added.", .id = {}});
  }
  switch (parsed->kind) {
    case PublishKind::kUnknown:
    case PublishKind::kSignal:
      return refuse(
          client, topic,
          {.code = Code::kUnknownOperation, .reason = "Nothing is published to " + in_quotes(topic) + ".", .id = {}});
    case PublishKind::kSync:
      // A resumed session: what it subscribed to in an earlier life is not shown to anyone, so it gets all that is its
      // own.
      if (session->filters.empty() && !session->has_others) {
        session->filters.push_back({.text = topics_.user(session->user->name, "#"), .qos = 1});
        update_wants(*session);
      }
      outflow_.open(*session);
      if (session->wants_unread) signals_.asked(*session);
      return {.kind = PublishVerdict::Kind::kUntouched, .payload = nullptr};
    case PublishKind::kRpc:
      return forward_request(client, topic, payload);
    default:
      break;
  }
  // What found the journal full when its turn came is older than this: it goes first, or this waits with its sender.
  const bool in_order = parsed->kind != PublishKind::kTyping && parsed->kind != PublishKind::kDelivered &&
                        parsed->kind != PublishKind::kRead && parsed->kind != PublishKind::kAckMany;
  if (in_order && !stuck_.empty() && !retry_stuck()) {
    return refuse(client, topic, {.code = stuck_why_.code, .reason = stuck_why_.reason, .id = {}});
  }
  const Origin origin{.user = session->user, .device = session->device, .resolves = 0, .qos = qos};
  if (parsed->kind == PublishKind::kAckMany) return acknowledge_many(origin, *session, topic, payload);
  auto verdict = conclude(origin, topic, *parsed, payload, handle(origin, session, *parsed, payload));
  if (parsed->kind == PublishKind::kDelivered || parsed->kind == PublishKind::kRead) outflow_.pump(*session);
  return verdict;
}

Outcome Hub::handle(const Origin& origin, Session* session, const PublishTopic& topic, std::string_view payload) {
  switch (topic.kind) {
    case PublishKind::kMessage:
      return conversing_.message(origin, topic.name, payload);
    case PublishKind::kDirect:
      return conversing_.direct(origin, topic.name, payload);
    case PublishKind::kForward:
      return conversing_.forward(origin, payload);
    case PublishKind::kTyping:
      return conversing_.typing(origin, topic.name, payload);
    case PublishKind::kDelivered:
    case PublishKind::kRead: {
      auto admission = admitter_.cursor(payload, topic.kind == PublishKind::kRead);
      if (auto* refusal = std::get_if<Refusal>(&admission)) return std::move(*refusal);
      auto& cursor = std::get<AdmittedCursor>(admission);
      cursor.conv = topic.name;
      return conversing_.cursor(origin, session, cursor);
    }
    default: {
      auto outcome = conversing_.command(origin, topic.name, operation_of(topic.kind), payload);
      if (std::holds_alternative<Accepted>(outcome)) requests_.hurry();
      return outcome;
    }
  }
}

PublishVerdict Hub::conclude(const Origin& origin, std::string_view topic, const PublishTopic& parsed,
                             std::string_view payload, Outcome outcome) {
  const ClientRef client{.handle = nullptr, .device = origin.device, .user = origin.user->name};
  if (auto* waiting = std::get_if<Waiting>(&outcome)) {
    if (parsed.kind == PublishKind::kTyping) {  // a passing sign is not worth waiting for; the next one will pass
      if (asked_conversations_.size() < kUnparkedLoadsMax) ask_conversation(waiting->conv);
    } else if (auto refusal = park(origin, topic, payload, *waiting)) {
      return refuse(client, topic, *refusal);
    }
    return {.kind = PublishVerdict::Kind::kReplace, .payload = nullptr};
  }
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) return refuse(client, topic, *refusal);
  // What is not a message is routed to nobody (may_read), so its bytes need no change.
  if (parsed.kind != PublishKind::kMessage) return {.kind = PublishVerdict::Kind::kUntouched, .payload = nullptr};
  return {.kind = PublishVerdict::Kind::kReplace, .payload = std::move(std::get<Accepted>(outcome).bytes)};
}

PublishVerdict Hub::acknowledge_many(const Origin& origin, Session& session, std::string_view topic,
                                     std::string_view payload) {
  const ClientRef client{.handle = nullptr, .device = origin.device, .user = origin.user->name};
  auto admission = admitter_.ack_many(payload);
  if (const auto* refusal = std::get_if<Refusal>(&admission)) return refuse(client, topic, *refusal);
  std::optional<Refusal> refused;
  for (const auto& cursor : std::get<std::vector<AdmittedCursor>>(admission)) {
    auto outcome = conversing_.cursor(origin, &session, cursor);
    if (auto* waiting = std::get_if<Waiting>(&outcome)) {
      // Parked one by one, as if each had come on its own topic.
      const bool read = cursor.read > 0;
      auto one = nlohmann::ordered_json{{"seq", cursor.delivered}};
      if (!read) one["rev"] = cursor.rev;
      if (auto refusal =
              park(origin, topics_.conversation(cursor.conv, read ? "read" : "delivered"), one.dump(), *waiting)) {
        refused = std::move(refusal);
      }
    } else if (auto* refusal = std::get_if<Refusal>(&outcome)) {
      if (refused) say_refused(origin.user->name, topic, *refused);
      refused = std::move(*refusal);
    }
  }
  outflow_.pump(session);
  if (refused) return refuse(client, topic, *refused);
  return {.kind = PublishVerdict::Kind::kUntouched, .payload = nullptr};
}

// What the bridge has done in a user's name. It is told no only where it is to try again; what the user did wrong is
// for the user to hear.
PublishVerdict Hub::carry_out(std::string_view topic, const PublishTopic& order, std::string_view payload) {
  constexpr auto kDone = PublishVerdict::Kind::kUntouched;
  constexpr auto kAgain = PublishVerdict::Kind::kRefuse;
  const auto answer = [](PublishVerdict::Kind kind) { return PublishVerdict{.kind = kind, .payload = nullptr}; };
  if (!valid_user_name(order.name)) return answer(kDone);
  if (order.kind == PublishKind::kKick) {
    kicks_.emplace_back(order.name, json_text(payload, "device").value_or(""));
    return answer(kDone);
  }
  if (!stuck_.empty() && !retry_stuck()) return answer(kAgain);
  // A request sends to many at once: each is a message of the user's, whichever device asked.
  if (auto refusal = rates_.take(order.name, {}, Spending::kMessage, payload.size())) {
    refusal->id = json_text(json_member(payload, "message").value_or(""), "id").value_or("");
    say_refused(std::string(order.name), topic, *refusal);
    return answer(kDone);
  }
  const auto user = directory_.user(order.name);
  const Origin origin{.user = user, .device = {}, .resolves = 0, .qos = 1};
  const auto outcome = handle(origin, nullptr, order, payload);
  if (const auto* waiting = std::get_if<Waiting>(&outcome)) {
    return answer(park(origin, topic, payload, *waiting) ? kAgain : kDone);
  }
  const auto* refusal = std::get_if<Refusal>(&outcome);
  if (refusal == nullptr) return answer(kDone);
  if (refusal->code == Code::kStorageFull || refusal->code == Code::kUnavailable) return answer(kAgain);
  say_refused(origin.user->name, topic, *refusal);
  return answer(kDone);
}

// A client id may be somebody else's by now. A connection that has neither subscribed nor published is not known here.
void Hub::kick_now() {
  for (const auto& [user, device] : std::exchange(kicks_, {})) {
    const auto* session = directory_.find_device(device);
    if (session != nullptr && session->user->name == user) kick(device);
  }
}

void Hub::kick(const std::string& device) {
  kicking_ = true;
  broker_.kick(device);
  kicking_ = false;
}

PublishVerdict Hub::forward_request(const ClientRef& client, std::string_view topic, std::string_view payload) {
  auto admission = admitter_.request(payload);
  if (const auto* refusal = std::get_if<Refusal>(&admission)) return refuse(client, topic, *refusal);
  const auto& request = std::get<AdmittedRequest>(admission);
  if (client.device.find_first_of("+#/") != std::string_view::npos) {
    return refuse(client, topic,
                  {.code = Code::kBadField,
                   .reason = "No answer can be addressed to the client id " + in_quotes(client.device) + ".",
                   .id = std::string(request.id)});
  }
  if (bridges_.empty()) {
    return refuse(client, topic,
                  {.code = Code::kUnavailable,
                   .reason = "The bridge is not connected: nobody can answer " + in_quotes(topic) + " now.",
                   .id = std::string(request.id)});
  }
  std::string envelope = seal_;
  envelope.append("\"user\":\"")
      .append(client.user)
      .append("\",\"device\":")
      .append(nlohmann::json(client.device).dump());
  envelope.append(",\"request\":").append(request.payload).append("}");
  return {.kind = PublishVerdict::Kind::kReplace, .payload = Bytes(std::move(envelope))};
}

PublishVerdict Hub::refuse(const ClientRef& client, std::string_view topic, const Refusal& refusal) {
  if (valid_user_name(client.user)) say_refused(std::string(client.user), topic, refusal);
  return {.kind = PublishVerdict::Kind::kRefuse,
          .payload = nullptr,
          .quota = refusal.code == Code::kRateLimited || refusal.code == Code::kStorageFull};
}

void Hub::say_refused(const std::string& user, std::string_view topic, const Refusal& refusal, int qos) {
  // A user asked for it by a request, and knows nothing of orders.
  const auto parsed = topics_.parse(topic);
  const bool order = parsed && parsed->kind == PublishKind::kForward;
  broker_.publish(topics_.user(user, user_topic::kError),
                  refusal_json(refusal, order ? topics_.request("message.forward") : std::string(topic)), qos);
}

}  // namespace chat
