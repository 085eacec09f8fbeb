// The values that the plugin, the bridge and the admin tool exchange with the store. Plain data: no behaviour beyond
// naming.
//
// Words are those of topics.md: a conversation is direct or group, a message has a place (`seq`) in it, an event has a
// place
// (`rev`) of its own, a cursor says how far someone has come.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chat {

using Seq = std::int64_t;        // 1, 2, 3 … in a conversation; 0 = before the first message
using Rev = std::int64_t;        // 1, 2, 3 … in a conversation; 0 = before the first event
using TimeMs = std::int64_t;     // milliseconds since the Unix epoch, UTC
using ConvId = std::int64_t;     // the database's own key of a conversation; 0 = none
using Position = std::uint64_t;  // a byte offset in the whole life of one journal, see docs/journal-format.md
using Uuid = std::array<std::uint8_t, 16>;

// Who gives numbers now: a journal, behind so many of its losses (Journal::losses()).
struct SeqSource {
  Uuid journal{};
  std::int64_t losses = 0;

  bool operator==(const SeqSource&) const = default;
};

// On which terms a broker loads a conversation.
struct LoadTerms {
  SeqSource source{};
  bool contacts_only = false;  // a direct one is made between contacts only
};

// A journal that may have lost records may have lost numbers that somebody has seen. A conversation that it gave
// numbers to before that goes on so much higher; the core never lets more of them be in danger
// (plugin/core/seq_at_risk.h).
inline constexpr Seq kSeqJump = 1 << 20;

enum class Role : std::uint8_t { kMember = 0, kAdmin = 1, kOwner = 2 };
enum class ConversationKind : std::uint8_t { kDirect = 0, kGroup = 1 };
enum class MessageType : std::uint8_t {
  kText = 0,
  kImage = 1,
  kVoice = 2,
  kVideo = 3,
  kFile = 4,
  kEmoji = 5,
  kLocation = 6,
  kCustom = 7,
};
enum class Replay : std::uint8_t { kFull = 0, kNewest = 1 };
enum class AckMode : std::uint8_t { kClient = 0, kAuto = 1 };

// One message as it is kept. `payload` is the sender's own JSON object from its opening brace to the last byte,
// unchanged; the server's fields are put in front of it again when it is delivered (storage/stamped.h), always to the
// same bytes.
struct StoredMessage {
  ConvId conv_id = 0;
  std::string conv;  // filled when read; not needed to commit
  Seq seq = 0;
  TimeMs server_time = 0;
  std::string sender;
  std::string id;  // the sender's own id; empty = none given
  Uuid mid{};
  MessageType type = MessageType::kText;
  Seq reply_to = 0;                   // 0 = none
  std::int64_t ttl_s = 0;             // seconds; 0 = never expires
  std::vector<std::string> mentions;  // user names, at most kMentionsMax of plugin/core/admit.h
  std::string payload;

  bool operator==(const StoredMessage&) const = default;
};

// A durable change that is not a message. `payload` is the JSON object that devices receive, server's fields included.
struct StoredEvent {
  ConvId conv_id = 0;
  std::string conv;
  Rev rev = 0;
  TimeMs server_time = 0;
  std::string payload;

  bool operator==(const StoredEvent&) const = default;
};

// How far one device, and with `read` its user, has come. Values below the stored ones change nothing: cursors only
// rise.
struct CursorUpdate {
  ConvId conv_id = 0;
  std::string user;
  std::string device;
  Seq delivered = 0;
  Rev rev = 0;
  Seq read = 0;  // 0 = says nothing about reading
  TimeMs at = 0;

  bool operator==(const CursorUpdate&) const = default;
};

// A recall, edit or reaction on its way to the bridge. Kept until the bridge has applied it.
struct StoredCommand {
  Position position = 0;  // of its journal record: what makes it unique
  ConvId conv_id = 0;
  std::string operation;  // "recall", "edit", "react"
  std::string user;
  std::string device;
  TimeMs server_time = 0;
  std::string payload;  // the client's JSON object, unchanged

  bool operator==(const StoredCommand&) const = default;
};

inline constexpr int kReceiptPushMembers = 50;

// What the persister read from the journal between two positions, to be committed as one.
struct Batch {
  Uuid journal{};
  Position from = 0;
  Position to = 0;
  std::vector<StoredMessage> messages{};  // in journal order: seq rises within each conversation
  std::vector<CursorUpdate> cursors{};
  std::vector<StoredCommand> commands{};
  int receipt_push_members = kReceiptPushMembers;  // receipts are pushed in groups of up to so many
};

enum class CommitResult {
  kApplied,
  kAlreadyApplied,  // the store stands at or behind `to` already: nothing was changed
};

struct Member {
  std::string user;
  Role role = Role::kMember;
  Seq join_seq = 1;  // the first message that this member may see
  Rev join_rev = 1;  // the first event that this member may see
  Seq read = 0;

  bool operator==(const Member&) const = default;
};

// What the two users of a direct conversation are to each other. The first is the one whose name comes first in it.
struct DirectStanding {
  bool first_blocks = false;   // ... the second
  bool second_blocks = false;  // ... the first
  bool contacts = false;       // each has accepted the other

  bool operator==(const DirectStanding&) const = default;
};

// All that the broker's thread needs to know of a conversation to admit a message to it.
struct ConversationState {
  ConvId id = 0;
  std::string name;  // "g:<id>" or "dm:<a>:<b>"
  ConversationKind kind = ConversationKind::kGroup;
  std::string title;
  Seq last_seq = 0;
  TimeMs last_time = 0;
  Rev last_rev = 0;
  bool announcement = false;    // only owner and admins may send
  std::vector<Member> members;  // in byte order of user
  DirectStanding standing{};    // of a direct one
  TimeMs changed_at = 0;        // server_time of its newest event; 0: it has none

  bool operator==(const ConversationState&) const = default;
};

// One of a sender's latest messages: what recognises a retry.
struct RecentMessage {
  std::string id;
  std::string conv;
  ConvId conv_id = 0;
  Seq seq = 0;
  TimeMs server_time = 0;
  Uuid mid{};
  std::string payload;
  bool rewritten = false;  // recalled or edited since: `payload` is not what the sender's first publish held

  bool operator==(const RecentMessage&) const = default;
};

struct UserState {
  std::string name;
  std::vector<RecentMessage> recent;  // newest last; only messages that carried an id

  bool operator==(const UserState&) const = default;
};

// A device's settings; an absent value means the server-wide default.
struct DeviceSettings {
  std::optional<Replay> replay;
  std::optional<int> replay_limit;  // messages per conversation, with Replay::kNewest
  std::optional<AckMode> ack;

  bool operator==(const DeviceSettings&) const = default;
};

// A conversation in which a device is behind.
struct Owed {
  ConvId conv_id = 0;
  std::string conv;
  Seq delivered = 0;  // the device has everything up to here
  Seq last_seq = 0;
  Rev rev = 0;
  Rev last_rev = 0;
  Seq jumped_to = 0;  // the latest jump left out this number and those below it, kSeqJump of them; 0 = there was none

  bool operator==(const Owed&) const = default;
};

// Of one user, in the store. Clients that make up a new client id for each connection would fill it otherwise.
inline constexpr int kDevicesKept = 1000;

struct DeviceOpening {
  DeviceSettings settings;
  bool first_seen = false;
  std::vector<Owed> owed;  // the most recently active conversation first

  bool operator==(const DeviceOpening&) const = default;
};

// Asks for the messages of one conversation with seq above `above`.
struct PageWant {
  ConvId conv_id = 0;
  Seq above = 0;
};

struct UserRow {
  std::string name;
  TimeMs created_at = 0;
  std::int64_t conversations = 0;
};

struct ConversationRow {
  std::string name;
  ConversationKind kind = ConversationKind::kGroup;
  std::string title;
  std::int64_t members = 0;
  Seq last_seq = 0;
  TimeMs last_time = 0;
};

struct DeviceRow {
  std::string user;
  std::string device;
  TimeMs first_seen = 0;
  TimeMs last_seen = 0;
  DeviceSettings settings;
};

struct StoreStatus {
  int schema_version = 0;
  std::int64_t users = 0;
  std::int64_t conversations = 0;
  std::int64_t messages = 0;  // the planner's estimate: exact counting would read the whole table
  std::int64_t commands_waiting = 0;
  struct Journal {
    std::string id;  // UUID text
    Position position = 0;
    TimeMs committed_at = 0;
  };
  std::vector<Journal> journals;  // newest commit first
};

}  // namespace chat
