// The Hub's bounds: how much a user and a device may send, and how many devices a user may have. Who exceeds them is
// refused, and where that is not enough, disconnected.
#include <algorithm>
#include <utility>

#include "plugin/core/hub.h"
#include "storage/json_members.h"
#include "storage/names.h"

namespace chat {
namespace {

constexpr std::size_t kIdMax = 64;  // bytes: no longer one is a publish's id

Spending spending_of(PublishKind kind) {
  switch (kind) {
    case PublishKind::kRpc:
    case PublishKind::kSync:
      return Spending::kRequest;
    case PublishKind::kDelivered:
    case PublishKind::kRead:
    case PublishKind::kAckMany:
    case PublishKind::kTyping:
      return Spending::kSign;
    default:
      return Spending::kMessage;
  }
}

// The broker closes a connection with the client's further publishes unread, so the client's system answers its next
// write by an error, and client libraries then read no more. Of 25 clients on two cores with four busy programs 5
// missed what was said right in front of the end, and of 40 none what was said 10 ms earlier, or 20. Meanwhile it goes
// on.
constexpr TimeMs kHeardWithinMs = 20;

std::string devices(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " device" : " devices");
}

}  // namespace

// ---- rates
// ---------------------------------------------------------------------------------------------------------------

bool Hub::over_rate(const ClientRef& client, std::string_view topic, PublishKind kind, std::string_view payload) {
  if (!rates_.limited()) return false;
  if (!valid_user_name(client.user) || !valid_device_name(client.device)) return false;  // refused for that
  auto refusal = rates_.take(client.user, client.device, spending_of(kind), payload.size());
  if (!refusal) return false;
  refusal->id = json_text(payload, "id").value_or("");
  if (refusal->id.size() > kIdMax) refusal->id.clear();
  refuse_for_rate(client, topic, *refusal);
  return true;
}

bool Hub::over_rate(const ClientRef& client, std::string_view filter) {
  if (client.user == options_.bridge_user) return false;
  if (!valid_user_name(client.user) || !valid_device_name(client.device)) return false;
  const auto refusal = rates_.take(client.user, client.device, Spending::kRequest, filter.size());
  if (!refusal) return false;
  refuse_for_rate(client, filter, *refusal);
  return true;
}

// What is refused was read by the broker's thread and is answered by it, so a refusal alone does not keep a flood from
// the others. Whoever connects anew goes on where they were: they are ended at the first refusal.
void Hub::refuse_for_rate(const ClientRef& client, std::string_view topic, const Refusal& refusal) {
  crowd_.refused(client.user, topic, refusal);
  if (rates_.may_be_refused(client.user)) return;
  if (is_ending(client.handle)) return;
  const auto& rate = options_.rates.refusals;
  const bool told = crowd_.last_words(
      client.user, topic,
      {.code = Code::kRateLimited,
       .reason = "User " + in_quotes(client.user) + " was refused more than " + std::to_string(rate.per_second) +
                 " times a second and " + std::to_string(rate.burst) +
                 " times at once, and goes on: " + in_quotes(client.device) + " is disconnected.",
       .id = {}},
      qos_of_last_words(client.handle));
  end_soon(client.handle, client.device, told ? kHeardWithinMs : 0);
}

// ---- devices
// -------------------------------------------------------------------------------------------------------------

// The device that has this client id now is the same one, connected anew: it counts once.
bool Hub::no_more_devices(const ClientRef& client) {
  if (options_.max_devices == 0 || options_.too_many_devices != TooManyDevices::kRefuse) return false;
  if (client.user == options_.bridge_user) return false;
  const auto user = directory_.find_user(client.user);
  if (!user || user->sessions.size() < options_.max_devices) return false;
  return std::none_of(user->sessions.begin(), user->sessions.end(),
                      [&](const Session* session) { return session->device == client.device; });
}

std::string Hub::why_no_session(const ClientRef& client) {
  if (!valid_user_name(client.user)) return "The user name " + in_quotes(client.user) + " is not valid here.";
  if (!valid_device_name(client.device)) {
    return "The client id " + in_quotes(client.device) + " has " + std::to_string(client.device.size()) +
           " bytes; at most " + std::to_string(kDeviceNameMax) + " are taken.";
  }
  return "User " + in_quotes(client.user) + " has " + devices(options_.max_devices) +
         " connected, and may have no more: " + in_quotes(client.device) + " has to wait until one is gone.";
}

void Hub::make_room(const Session& newest) {
  if (options_.max_devices == 0 || options_.too_many_devices != TooManyDevices::kKickOldest) return;
  const auto& user = *newest.user;
  if (user.name == options_.bridge_user) return;
  const auto staying = [&] {
    return std::count_if(user.sessions.begin(), user.sessions.end(), [](const Session* one) { return !one->surplus; });
  };
  while (static_cast<std::size_t>(staying()) > options_.max_devices) {
    const auto oldest =
        std::min_element(user.sessions.begin(), user.sessions.end(), [](const Session* one, const Session* other) {
          return std::pair(one->surplus, one->generation) < std::pair(other->surplus, other->generation);
        });
    auto& session = **oldest;
    session.surplus = true;
    say_refused(
        user.name, topics_.user(user.name, user_topic::kInbox),
        {.code = Code::kNotAllowed,
         .reason = "User " + in_quotes(user.name) + " may have " + devices(options_.max_devices) + " connected: with " +
                   in_quotes(newest.device) + " there, " + in_quotes(session.device) + " is disconnected.",
         .id = {}},
        qos_of_last_words(session.handle));
    if (!is_ending(session.handle)) end_soon(session.handle, session.device, kHeardWithinMs);
  }
}

// ---- both
// ----------------------------------------------------------------------------------------------------------------

bool Hub::is_ending(const void* handle) const {
  return std::any_of(ending_.begin(), ending_.end(), [&](const Ending& one) { return one.handle == handle; });
}

void Hub::end_soon(const void* handle, std::string_view device, TimeMs behind_ms) {
  ending_.push_back({.handle = handle, .device = std::string(device), .from = clock_.steady() + behind_ms});
}

// QoS 1 waits for a place among the 20 that the broker has in flight to a client, and a client that sends without a
// pause acknowledges none of them: its acknowledgements are behind all that it sends. Where the session outlives the
// connection it is told when it comes back, at the latest; else QoS 0 is what reaches it.
int Hub::qos_of_last_words(const void* handle) {
  return broker_.keeps_session(handle) ? 1 : 0;
}

// The broker hands out what was published in a callback behind the tick that follows it.
void Hub::kick_told() {
  for (auto& one : std::exchange(ending_, {})) {  // who is kicked comes back into the core
    if (!std::exchange(one.handed_out, true) || clock_.steady() < one.from) {
      ending_.push_back(std::move(one));
    } else if (!taken_over(one.handle, one.device)) {
      kick(one.device);
    }
  }
}

}  // namespace chat
