// What waits for the store: publishes that were accepted before their conversation or their sender was in memory.
#include <utility>

#include "plugin/core/hub.h"

namespace chat {
namespace {

constexpr TimeMs kRetryStuckMs = 100;  // how often parked publishes that found the journal full are tried again

}  // namespace

void Hub::recover(std::vector<std::pair<Position, ParkedRecord>> parked) {
  for (auto& [position, record] : parked) {
    auto user = directory_.user(record.user);
    resume_one(parking_.add(position, std::move(user), std::move(record)));
  }
}

std::optional<Refusal> Hub::park(const Origin& origin, std::string_view topic, std::string_view payload,
                                 const Waiting& waiting) {
  if (origin.resolves != 0) return std::nullopt;  // it is in the parking place already
  if (!parking_.has_room(topic.size() + payload.size())) {
    return Refusal{.code = Code::kUnavailable,
                   .reason = "Too much waits for the database already: send it again later.",
                   .id = {}};
  }
  ParkedRecord record{.user = origin.user->name,
                      .device = std::string(origin.device),
                      .topic = std::string(topic),
                      .payload = std::string(payload),
                      .at = clock_.now(),
                      .qos = static_cast<std::uint8_t>(origin.qos)};
  parking_.reserve(journal_.end());
  Position position = 0;
  const auto appended = journal_.append(record, &position);
  if (appended != AppendResult::kOk) {
    parking_.publish_floor();
    return Refusal{.code = appended == AppendResult::kFull ? Code::kStorageFull : Code::kUnavailable,
                   .reason = "The server can't keep " + in_quotes(topic) + " now: send it again later.",
                   .id = {}};
  }
  wait_for(parking_.add(position, origin.user, std::move(record)), waiting);
  return std::nullopt;
}

void Hub::wait_for(const std::shared_ptr<Parked>& parked, const Waiting& waiting) {
  if (waiting.known) parked->known = waiting.known;
  if (waiting.sender) {
    parking_.wait_for(parked, Parking::sender_key(parked->user->name));
    ask_user(parked->user->name);
  }
  if (waiting.conversation) {
    parking_.wait_for(parked, Parking::conversation_key(waiting.conv));
    ask_conversation(waiting.conv);
  }
  if (!waiting.conversation) {
    parked->pinned = conversations_.find(waiting.conv);
    if (parked->pinned) ++parked->pinned->pins;
  } else if (!waiting.sender && parked->user->recent) {
    parked->pins_sender = true;
    ++parked->user->pins;
  }
}

void Hub::unpin(Parked& parked) {
  if (const auto conversation = std::exchange(parked.pinned, nullptr)) --conversation->pins;
  if (std::exchange(parked.pins_sender, false)) --parked.user->pins;
}

void Hub::resume(std::string_view key) {
  for (const auto& parked : parking_.take(key)) {
    // Nothing overtakes what the journal had no room for.
    if (stuck_.empty()) {
      resume_one(parked);
    } else {
      stuck_.push_back(parked);
    }
  }
}

void Hub::resume_one(const std::shared_ptr<Parked>& parked) {
  unpin(*parked);
  if (parked->done) return;
  const auto& record = parked->record;
  const auto topic = topics_.parse(record.topic);
  const Origin origin{.user = parked->user,
                      .device = record.device,
                      .resolves = parked->position,
                      .qos = record.qos,
                      .known = parked->known ? &*parked->known : nullptr};
  Outcome outcome = Refusal{
      .code = Code::kUnknownOperation, .reason = "Nothing is published to " + in_quotes(record.topic) + ".", .id = {}};
  if (unknown_users_.contains(record.user)) {
    outcome =
        Refusal{.code = Code::kNotAllowed, .reason = "User " + in_quotes(record.user) + " was never added.", .id = {}};
  } else if (topic) {
    // The client id may be somebody else's by now.
    auto* session = directory_.find_device(record.device);
    if (session != nullptr && session->user != parked->user) session = nullptr;
    outcome = handle(origin, session, *topic, record.payload);
    if (session != nullptr && std::holds_alternative<Accepted>(outcome)) outflow_.pump(*session);
  }
  if (const auto* waiting = std::get_if<Waiting>(&outcome)) {
    wait_for(parked, *waiting);
    return;
  }
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    // It was accepted: a journal that is full now is no reason to lose it.
    if (refusal->code == Code::kStorageFull || refusal->code == Code::kUnavailable) {
      stuck_.push_back(parked);
      stuck_why_ = *refusal;
      return;
    }
    say_refused(record.user, record.topic, *refusal);
    resolve(*parked, false);
    return;
  }
  const auto& accepted = std::get<Accepted>(outcome);
  if (accepted.bytes) broker_.publish(record.topic, *accepted.bytes, 1);
  resolve(*parked, accepted.journaled);
}

void Hub::resolve(Parked& parked, bool journaled) {
  unpin(parked);
  if (journaled) {
    parking_.became_record(parked.position, journal_.end());
  } else {
    // Where this can't be written the publish is parked again after a crash, and then refused or recognised once more.
    journal_.append(ResolvedRecord{.resolves = parked.position}, nullptr);
  }
  parking_.finish(parked);
}

void Hub::tick() {
  // What goes by milliseconds is not asked again in the same one: under load the broker ticks many times in each.
  const auto now = clock_.steady();
  const bool later = std::exchange(ticked_at_, now) != now;
  expire_write();
  if (later) outflow_.tick();
  signals_.tick();
  kick_now();
  kick_told();
  if (!later) return;
  rates_.tick();
  crowd_.tick();
  if (stuck_.empty() || now - retried_at_ < kRetryStuckMs) return;
  retried_at_ = now;
  retry_stuck();
}

bool Hub::retry_stuck() {
  const auto again = std::exchange(stuck_, {});
  for (auto parked = again.begin(); parked != again.end(); ++parked) {
    resume_one(*parked);
    if (stuck_.empty()) continue;
    stuck_.insert(stuck_.end(), parked + 1, again.end());  // still no room: the rest need not try
    return false;
  }
  return true;
}

}  // namespace chat
