// What the core asks of its surroundings, and what comes back. The core runs on the broker's thread only and waits for
// nothing: it sends a Request, and some ticks later the answer arrives as a Notice.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/core/bytes.h"
#include "storage/store.h"

namespace chat {

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };

// A session of a connected client: another connection with the same client id is another recipient.
struct Recipient {
  const std::string& device;
  std::uint64_t generation = 0;
};

// The broker, as far as the core needs it. Called on the broker's thread only; nothing here but
// kick() calls back into the core.
class Broker {
 public:
  virtual ~Broker() = default;
  // To one connected client, whether or not it subscribed; at the latest with the turn's deliver(). `qos` 0 or 1.
  virtual void publish_to(const Recipient& recipient, std::string topic, Bytes payload, int qos) = 0;
  // To whoever is subscribed.
  virtual void publish(const std::string& topic, std::string_view payload, int qos) = 0;
  // Ends the connection of a client, whose last will is published. Not from within a callback about that client: in
  // tick(). Before it returns the core is asked about the subscriptions that the client's session keeps, and told of
  // its disconnection.
  virtual void kick(const std::string& device) = 0;
  // How many subscriptions the broker keeps for the client of a connection that the core was not told the end of. A
  // client that had some has none once another connection took its id over: of a WebSocket's end the broker tells only
  // later.
  virtual int subscriptions(const void* handle) = 0;
  // Whether what the client of this connection, which has not ended, leaves unacknowledged is kept for its return.
  virtual bool keeps_session(const void* handle) = 0;
  virtual void log(LogLevel level, const std::string& text) = 0;
  // The end of a turn: hands over what publish_to() was given, but for what is meant for a session that has ended.
  using IsThere = std::function<bool(const std::string& device, std::uint64_t generation)>;
  virtual void deliver(const IsThere&) {}
};

// A request is answered from a store that has committed everything below `barrier`: so what was journaled before the
// request was made is in the answer, however far PostgreSQL lags behind.

struct LoadConversation {
  std::string name;
  Rev events_above = -1;  // not -1: also the events above this rev, for those who are online
};

// Only the events above this rev, of a conversation that is in memory: without a barrier.
struct LoadEvents {
  std::string name;
  ConvId conv_id = 0;
  Rev above = 0;
};

struct LoadUser {
  std::string name;
};

struct OpenDevice {
  std::string user;
  std::string device;
  std::uint64_t generation = 0;
};

// A device that is open already, in one conversation.
struct PlaceDevice {
  std::string user;
  std::string device;
  std::uint64_t generation = 0;
  ConvId conv_id = 0;
};

struct LaneWant {
  std::string conv;
  ConvId conv_id = 0;
  Seq above = 0;
  Seq target = 0;  // messages up to here are known to exist; nothing is wanted where it is not above `above`
  Rev rev_above = 0;
  Rev rev_target = 0;
};

struct ReadPage {
  std::string device;
  std::uint64_t generation = 0;
  std::vector<LaneWant> wants;
};

using RequestBody = std::variant<LoadConversation, LoadEvents, LoadUser, OpenDevice, PlaceDevice, ReadPage>;

struct Request {
  RequestBody body;
  Position barrier = 0;
};

class Requests {
 public:
  virtual ~Requests() = default;
  virtual void send(Request request) = 0;  // never waits
  // What was journaled just now is to be committed without gathering more: somebody waits for what comes of it. Never
  // waits.
  virtual void hurry() = 0;
};

struct ConversationLoaded {
  std::string name;
  std::optional<ConversationState> state;  // nullopt: there is none
  std::optional<DirectStanding> apart{};   // ... and none is made for these two: why
  std::vector<StoredEvent> events;
  // Answers a request with `events_above`: without a barrier, so its counters may lie behind the journal's.
  bool reload = false;
};

struct EventsLoaded {
  std::string name;
  std::vector<StoredEvent> events;
};

struct UserLoaded {
  std::string name;
  std::optional<UserState> state;
};

struct DeviceOpened {
  std::string device;
  std::uint64_t generation = 0;
  DeviceOpening opening;
};

struct DevicePlaced {
  std::string device;
  std::uint64_t generation = 0;
  std::optional<Owed> owed;  // nullopt: nothing
};

// What a page holds, ready to be sent: a message where seq is set, an event where rev is.
struct PageItem {
  std::string conv;
  Seq seq = 0;
  Rev rev = 0;
  Bytes bytes;
  TimeMs expires_at = 0;  // from then on a tombstone is handed over; 0: never
};

struct PageRead {
  std::string device;
  std::uint64_t generation = 0;
  std::vector<PageItem> items;     // in the order of the wants, each in order of seq
  std::vector<LaneWant> finished;  // wants of which all up to their targets was read: what is missing does not exist
};

struct Committed {
  Position up_to = 0;
  std::vector<std::pair<std::string, std::string>> acks;   // user and the JSON for its ack topic
  std::vector<std::pair<std::string, Seq>> conversations;  // the highest seq committed of each in the batch
};

struct Changed {
  std::vector<Change> changes;
};

struct LogLine {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

// The store can't open this device, however often it is asked.
struct DeviceRefused {
  std::string device;
  std::uint64_t generation = 0;
  std::string reason;  // a sentence
};

using Notice = std::variant<ConversationLoaded, EventsLoaded, UserLoaded, DeviceOpened, DevicePlaced, DeviceRefused,
                            PageRead, Committed, Changed, LogLine>;

}  // namespace chat
