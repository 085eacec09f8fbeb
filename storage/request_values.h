// What requests ask of their store and are answered: plain data, in the words of topics.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/contact.h"
#include "storage/types.h"

namespace chat {

// How a user wants to be seen. Empty strings: not said.
struct Profile {
  std::string user;
  std::string name;
  std::string avatar;
  std::string about;
};

// Absent values, here and in the other updates, stay as they are.
struct ProfileUpdate {
  std::optional<std::string> name;
  std::optional<std::string> avatar;
  std::optional<std::string> about;
};

struct NewGroup {
  std::string title{};
  std::string avatar{};
  bool announcement = false;
  std::vector<std::string> members{};  // besides the one who makes it; named twice is the same as once
};

struct ConversationUpdate {
  std::optional<std::string> title;
  std::optional<std::string> avatar;
  std::optional<bool> announcement;
};

// How one member wants to see a conversation.
struct SettingsUpdate {
  std::optional<bool> muted;
  std::optional<bool> pinned;
  std::optional<std::string> draft;
};

// A conversation as one of its members sees it.
struct ConversationView {
  std::string conv;
  ConversationKind kind = ConversationKind::kGroup;
  std::string title;
  std::string avatar;
  bool announcement = false;
  Seq last_seq = 0;
  Rev last_rev = 0;
  TimeMs last_time = 0;
  Role role = Role::kMember;
  Seq read = 0;
  std::int64_t unread = 0;
  std::int64_t mentions = 0;  // unread messages that name this member
  bool muted = false;
  TimeMs pinned_at = 0;  // 0: not pinned
  std::string draft;
  std::optional<Profile> peer;        // of a direct conversation: the other one, without `about`
  std::optional<StoredMessage> last;  // with overview(): the newest message that this member may see
  std::int64_t members = 0;           // with conversation()
};

// Where a list of conversations goes on: behind the one with this key.
struct ListPlace {
  bool unread = true;
  TimeMs active = 0;
  ConvId conv_id = 0;
};

struct ConversationPage {
  std::vector<ConversationView> rows;
  std::optional<ListPlace> next;  // nullopt: that was all
  std::size_t conversations = 0;  // that the user is in, on all pages; 0 where this page is empty
};

struct UnreadRow {
  std::string conv;
  std::int64_t unread = 0;
  std::int64_t mentions = 0;
  bool muted = false;
};

struct UnreadPage {
  std::int64_t total = 0;  // over all conversations that are not muted, not only this page's
  std::vector<UnreadRow> rows;
  ConvId next = 0;  // 0: that was all
};

struct MemberRow {
  std::string user;
  std::string name;
  Role role = Role::kMember;
  TimeMs joined_at = 0;
};

// Somebody in a user's list of contacts.
struct ContactRow {
  std::string user;
  std::string name;
  std::string avatar;
  ContactState state = ContactState::kPendingOut;
  TimeMs at = 0;  // since when
};

// A membership as a question needs it.
struct Seat {
  ConvId conv_id = 0;
  ConversationKind kind = ConversationKind::kGroup;
  Role role = Role::kMember;
  Seq last_seq = 0;
  Seq join_seq = 1;
  Rev join_rev = 1;
  Seq deleted_to = 0;
};

// Messages from `low` to `high`, both included.
struct SeqRange {
  ConvId conv_id = 0;
  Seq low = 1;
  Seq high = 0;
};

struct MessagePage {
  std::vector<StoredMessage> rows;  // the payload of an expired one is its tombstone
  bool more = false;                // there are further ones, which the bounds left out
};

struct EventPage {
  std::vector<StoredEvent> rows;
  bool more = false;
};

// Asks for the events of a conversation above `above`.
struct RevWant {
  ConvId conv_id = 0;
  Rev above = 0;
};

// Who reacted to a message with one emoji.
struct ReactionRow {
  Seq seq = 0;
  std::string emoji;
  std::int64_t count = 0;
  std::vector<std::string> users;  // the first kReactionUsersMax
};

inline constexpr int kReactionUsersMax = 50;

struct ReceiptRow {
  std::string user;
  bool delivered = false;
  bool read = false;
};

struct ReceiptPage {
  std::int64_t members = 0;  // who may see the message, without its sender
  std::int64_t read = 0;     // … of whom so many have read it
  std::vector<ReceiptRow> rows;
  bool more = false;
};

// Where a search goes on: below the message with this key.
struct SearchPlace {
  TimeMs server_time = 0;
  ConvId conv_id = 0;
  Seq seq = 0;
};

// What is looked for: messages with all of the words.
struct SearchWanted {
  std::string words;
  ConvId conv_id = 0;  // 0: in all of the user's
  std::string from{};  // empty: of anybody
  TimeMs after = 0;    // later than this
  SearchPlace below;   // earlier than this: a page's end, or a time with nothing behind it
};

struct SearchPage {
  std::vector<StoredMessage> rows;  // newest first; neither recalled nor expired ones
  std::optional<SearchPlace> next;  // nullopt: that was all
};

// A message that is on its way once more.
struct ForwardedTo {
  std::string conv;
  std::string id;  // its own, which the sender's ack topic names
};

struct AddedMembers {
  std::string conv;                // the group; another one than was asked for where that was direct
  std::vector<std::string> added;  // those who were not in it before
};

}  // namespace chat
