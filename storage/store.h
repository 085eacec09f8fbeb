// What the rest of mosquitto-chat asks of its store. Two implementations: PostgreSQL (postgres/) and an in-memory twin
// for tests (memory/); tests/storage gives both the same operations and demands the same answers.
//
// Invariants that every implementation keeps
//  (1) commit() is atomic: after any crash either the whole batch is there or nothing of it, the checkpoint included.
//  (2) commit() of the same batch twice changes nothing the second time, whatever became of the first.
//  (3) Cursors only rise. A cursor of someone who is not a member of the conversation, or above its last seq, is
//  clipped away. (4) Each durable change of a group's membership is an event with the next rev, made in the same
//  transaction. (A direct
//      conversation is born without one: its name says all that there is to say.)
//  (5) Nobody is owed what lies before they joined, whatever an older cursor of theirs says.
//
// Threads: one object belongs to one thread at a time; open one store per thread. Every call may block on the network
// and may throw StoreUnavailable; commit() also StoreInDoubt. After either, the next call reconnects by itself (once,
// without waiting: backoff is the caller's). interrupt() alone may be called from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/errors.h"
#include "storage/types.h"

namespace chat {

// The hot path's side: what the persister commits.
class MessageStore {
 public:
  virtual ~MessageStore() = default;

  // How far `journal` has been committed; nullopt for a journal never seen (it starts at its own first position).
  virtual std::optional<Position> checkpoint(const Uuid& journal) = 0;

  // Commits a batch whose `from` is the journal's checkpoint (or any position, for a journal never seen). Answers
  // kAlreadyApplied where the checkpoint is at `to` or behind it. Throws StoreCorrupt where it lies anywhere else, and
  // where the batch can't belong to this store: a conversation that is not there, or a seq that is not above its last
  // one. A cursor that names no valid device, or no member, is left out: that is not an error.
  virtual CommitResult commit(const Batch& batch) = 0;
};

// What the loader and the catch-up read.
class ReadStore {
 public:
  virtual ~ReadStore() = default;

  // The conversation, or nullopt. A direct name ("dm:a:b") whose two users exist is made if it was not there, but not
  // where one of the two blocks the other or `terms` keep them apart: then the answer has the id 0, and nothing else
  // but the name, the kind and how they stand to each other. That is read last: what changed before is in it.
  //
  // The source is about to give numbers in it. Where an earlier load was for the same journal with other losses,
  // last_seq is raised by kSeqJump first, durably: numbers that were given since and lost are not given again. What
  // survived the loss must be committed before that. A journal that is new to the conversation changes nothing that can
  // be seen: it has given no number here.
  std::optional<ConversationState> load_conversation(std::string_view name, const LoadTerms& terms) {
    const std::string one(name);
    return std::move(load_conversations({&one, 1}, terms).front());
  }
  // The same of several, an answer for each name in their order, at little more than the cost of one: a client that
  // comes back may need thousands, and each alone would be a commit.
  virtual std::vector<std::optional<ConversationState>> load_conversations(std::span<const std::string> names,
                                                                           const LoadTerms& terms) = 0;

  // The user with up to `recent_limit` of the latest messages that carried an id (by server_time, then conversation and
  // seq); makes the user where `create` and the name was not known. nullopt: not known and not made, or not a valid
  // name.
  virtual std::optional<UserState> load_user(std::string_view name, int recent_limit, bool create) = 0;

  // A device opens its tap. A device seen for the first time is recorded, and starts at its user's read cursors and at
  // each conversation's present rev. Lists only conversations in which something is owed. (A row that set_device() made
  // counts as seen only once its tap was opened.) Where the user has more than kDevicesKept by that, those that were
  // opened longest ago are forgotten: they are new ones when they come back. Refused: not_found (the user), bad_field
  // (the device's name).
  virtual DeviceOpening open_device(std::string_view user, std::string_view device) = 0;

  // What an opened device is owed in this one conversation: what open_device() would list of it, at the cost of one
  // conversation, however many the user has. nullopt: nothing, or the user is no member.
  virtual std::optional<Owed> owed_in(std::string_view user, std::string_view device, ConvId conv) = 0;

  // Up to `limit` messages in all: those of the first want in order of seq, then the second's … Stops early also behind
  // `bytes_max` of payload (at least one message is given).
  virtual std::vector<StoredMessage> messages_above(std::span<const PageWant> wants, int limit,
                                                    std::size_t bytes_max) = 0;

  // Up to `limit` events of one conversation with rev above `above`, in order.
  virtual std::vector<StoredEvent> events_above(ConvId conv, Rev above, int limit) = 0;
};

// A change made by someone else that the broker has to learn of.
struct Change {
  // kConversation: it, or its members. kEvents: it has new events; what else they mean is told apart. kContacts: how
  // the two of a direct conversation stand to each other, whether or not it is there.
  enum class Kind { kConversation, kEvents, kContacts, kDevice, kEverything };
  Kind kind = Kind::kConversation;
  std::string name;    // the conversation; or the device's user
  std::string device;  // with kDevice
};

// Tells of changes to conversations, members, contacts and device settings, whoever makes them (chatctl, the bridge,
// psql). What a commit changes (last_seq, cursors) is not reported, nor a rev that rose without a change of membership.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  // Waits up to `timeout` for changes. The first call, and the first after a lost connection, answers kEverything:
  // changes may have been missed. An empty answer means that nothing changed. Throws StoreUnavailable.
  virtual std::vector<Change> wait(std::chrono::milliseconds timeout) = 0;
};

// What the admin tool does. Every refusal is a StoreRefused with a sentence that holds the offending value.
class AdminStore {
 public:
  virtual ~AdminStore() = default;

  // Refused: bad_field (characters, length), id_conflict (exists).
  virtual void add_user(std::string_view name) = 0;
  // In byte order of name, those behind `after` (empty: from the start). So is list_conversations().
  virtual std::vector<UserRow> list_users(std::string_view after, int limit) = 0;

  // Makes a group with `owner` and `members` (named twice is the same as once) and its first event,
  // conversation.created; answers its name. Refused: not_found (a user), bad_field (a title above kTitleMax of
  // names.h).
  virtual std::string create_group(std::string_view title, std::string_view owner, std::span<const std::string> members,
                                   TimeMs now) = 0;
  // The conversation, or nullopt: load_conversation(), but makes and changes nothing.
  virtual std::optional<ConversationState> find_conversation(std::string_view name) = 0;
  virtual std::vector<ConversationRow> list_conversations(std::string_view after, int limit) = 0;

  // Adding someone who is a member already changes nothing but, where it differs, the role. `by` goes into the event as
  // it is; empty: nobody in particular. Refused, as removing is: not_found (conversation, user), not_allowed (a direct
  // one).
  virtual void add_member(std::string_view conv, std::string_view user, Role role, std::string_view by, TimeMs now) = 0;
  // Removing someone who is not a member: refused, not_found.
  virtual void remove_member(std::string_view conv, std::string_view user, std::string_view by, TimeMs now) = 0;

  // In byte order of device; `device` empty: all of the user's. None found is an empty answer.
  virtual std::vector<DeviceRow> devices(std::string_view user, std::string_view device) = 0;
  // Sets those settings that are given; makes the device's row where there is none. Refused: not_found (the user),
  // bad_field.
  virtual DeviceRow set_device(std::string_view user, std::string_view device, const DeviceSettings& settings) = 0;

  virtual StoreStatus status() = 0;
};

// The whole store: what migrate-free callers open. `uri` is a libpq connection URI or conninfo string; nothing is
// connected until the first call, so that a broker starts while PostgreSQL is away. Never logs the URI (it may hold a
// password).
class Store : public MessageStore, public ReadStore, public ChangeFeed, public AdminStore {
 public:
  // Any thread. Makes the call that another thread is blocked in, and all later ones, fail soon with StoreUnavailable
  // (or StoreInDoubt, inside COMMIT), for the life of the object: how a program ends while PostgreSQL is frozen. "Soon"
  // is at once on an open connection, and within connect_timeout (5 s unless the URI says otherwise) while one is being
  // opened.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<Store> open_postgres(const std::string& uri, std::string_view application_name);

// Brings the schema to the version this program knows, under an advisory lock: any number of programs may call it at
// once. Answers the versions that were applied, none if it was up to date. Refuses (StoreCorrupt) a schema newer than
// this program.
std::vector<int> migrate_postgres(const std::string& uri);

int latest_schema_version();  // that this program knows

}  // namespace chat
