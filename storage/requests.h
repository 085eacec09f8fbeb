// What the bridge's requests ask of PostgreSQL. There is no in-memory twin: what it would have to repeat is SQL (keyset
// pages, counts), so its agreement would prove nothing, and the handlers are tested on a private PostgreSQL instead.
//
// Refusals are StoreRefused, each with a sentence that holds the offending value. Common to all that name a
// conversation: not_found (there is none), not_member (the user is not in it).
//
// Threads: one object belongs to one thread at a time; interrupt() any. Every call may block on the network and throw
// StoreUnavailable; the next one reconnects by itself.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/errors.h"
#include "storage/request_values.h"
#include "storage/types.h"

namespace chat {

// How large groups may become, and how many of them one user may be in.
struct GroupBounds {
  int members = 0;  // of a group, with who asks
  int groups = 0;   // of a user
};

// The changes that requests make, all in the one transaction of RequestStore::once(), in the name of its user and at
// its time. Each durable change of a group is an event with the next rev, in the same transaction.
class RequestChanges {
 public:
  virtual ~RequestChanges() = default;

  // Answers the new group's name. Refused: not_found (a user), blocked (a user blocks who asks), not_allowed (beyond
  // one of the bounds, also somebody else's).
  virtual std::string create_group(const NewGroup& group, const GroupBounds& bounds) = 0;
  // The direct conversation with `other`, made if it is not there. Refused: not_found (the user), bad_field (oneself),
  // blocked (one of the two blocks the other), not_allowed (with `contacts_only`: they are no contacts).
  virtual std::string create_direct(const std::string& other, bool contacts_only) = 0;
  // By owner and admins. What is the same as before makes no event. Refused: not_allowed (direct, not one of those).
  virtual void update_conversation(const std::string& conv, const ConversationUpdate& update) = 0;
  // An owner who leaves hands the group to the longest-serving admin, else member. Refused: not_allowed (direct).
  virtual void leave(const std::string& conv) = 0;

  // By owner and admins. Those who are in it already are left out. On a direct conversation, by either of the two,
  // makes a new group of them all. Refused: not_found (a user), not_allowed (also where that
  // exceeds one of the bounds), blocked (one who is to be put into a group blocks who asks).
  virtual AddedMembers add_members(const std::string& conv, std::span<const std::string> users,
                                   const GroupBounds& bounds) = 0;
  // The owner removes anybody else, admins remove those who are neither. Refused: not_found (not in it), not_allowed.
  virtual void remove_members(const std::string& conv, std::span<const std::string> users) = 0;
  // By the owner. To make another one the owner is to become an admin oneself. The role that the user has already is no
  // change. Refused: not_found (not in it), not_allowed.
  virtual void set_role(const std::string& conv, const std::string& user, Role role) = 0;

  // Answers how the user stands to `other` now; nullopt: nothing is said of each other. The other one is told by a row
  // of `outgoing`, but of a block nothing. Refused: not_found (the user), and as contact_step().
  virtual std::optional<ContactState> change_contact(ContactAction action, const std::string& other) = 0;

  // As AdminStore::set_device(), of the user's own.
  virtual DeviceRow set_device(const std::string& device, const DeviceSettings& settings) = 0;
  virtual void set_profile(const ProfileUpdate& update) = 0;
  virtual void set_settings(const std::string& conv, const SettingsUpdate& update) = 0;
  // For this user only; what is deleted already is no error. Refused: not_found (a message that is not there).
  virtual void delete_messages(const std::string& conv, std::span<const Seq> seqs) = 0;
  virtual void delete_up_to(const std::string& conv, Seq seq) = 0;

  // Has the plugin send message `seq` of `conv` to those conversations and users (named twice is the same as once), in
  // the user's name and with new ids. What the plugin then refuses, the user's error topic tells. Refused: not_found (a
  // message that the user can't see, or that is recalled or expired; a conversation or user), not_member (of one of the
  // conversations), and what create_direct() refuses of a user, with whom the conversation is made.
  virtual std::vector<ForwardedTo> forward_message(const std::string& conv, Seq seq, std::span<const std::string> to,
                                                   bool contacts_only) = 0;
  // Has the plugin end the connection of the user's own device; none there is no error. `forget`: its settings and
  // cursors go. Refused: bad_field (its name).
  virtual void kick_device(const std::string& device, bool forget) = 0;
};

// What makes a request that changes something recognisable when it is sent again.
struct RequestKey {
  std::string user;
  std::string id;
  std::string operation;
  std::string request;  // the whole request in a canonical form
  TimeMs now = 0;
};

class RequestStore {
 public:
  virtual ~RequestStore() = default;

  // Calls `work` and keeps what it answers, in one transaction; the same key again is answered the same without
  // calling it, for at least 24 hours. What `work` throws undoes all, and is not kept. It may be called twice where a
  // connection was lost, so it has no effects but through its argument. The user is made if it was not known.
  // Refused: id_conflict (the id belongs to another request), bad_field (an id that holds U+0000).
  virtual std::string once(const RequestKey& key, const std::function<std::string(RequestChanges&)>& work) = 0;

  // The user's memberships in those conversations, in their order; the refusal is of the first that has none.
  virtual std::vector<Seat> seats(std::span<const std::string> convs, const std::string& user) = 0;
  Seat seat(const std::string& conv, const std::string& user) { return seats(std::span(&conv, 1), user).front(); }
  virtual ConversationView conversation(const std::string& conv, const std::string& user, TimeMs now) = 0;
  // Those with unread messages first, then the latest activity (a message, or one's own joining). The order is that of
  // one moment and what the rows say of one right behind it; so a page may lack who left in between.
  virtual ConversationPage overview(const std::string& user, const std::optional<ListPlace>& behind, int limit,
                                    TimeMs now) = 0;
  // Rows of overview(), in the order of `convs`; those that the user is not in are left out.
  virtual std::vector<ConversationView> overview_of(const std::string& user, std::span<const ConvId> convs,
                                                    TimeMs now) = 0;
  // Only conversations with unread messages, behind the one with this key.
  virtual UnreadPage unread(const std::string& user, ConvId behind, int limit, TimeMs now) = 0;

  // In byte order of name, those behind `behind`.
  virtual std::vector<MemberRow> members(ConvId conv, const std::string& behind, int limit) = 0;

  // What the user may see of the ranges: nothing from before they joined, nothing that they deleted for themselves. In
  // order of the ranges; within one by seq, falling where `newest`. Up to `limit`, and not past the one that reaches
  // `bytes_max` of payload (at least one).
  virtual MessagePage messages(const std::string& user, std::span<const SeqRange> ranges, bool newest, int limit,
                               std::size_t bytes_max, TimeMs now) = 0;
  // In order of the wants, then of rev; not from before the user joined.
  virtual EventPage events(const std::string& user, std::span<const RevWant> wants, int limit) = 0;
  // In order of seq, then of the first reaction with that emoji.
  virtual std::vector<ReactionRow> reactions(ConvId conv, std::span<const Seq> seqs) = 0;

  // Of what the user may see. A page may end before `limit`, even with nothing, where to look further would take too
  // long, or behind `bytes_max` of payload. What was committed just now may be missing: it is indexed behind the
  // commit. Refused: bad_field (no word in the words).
  virtual SearchPage search(const std::string& user, const SearchWanted& wanted, int limit, std::size_t bytes_max,
                            TimeMs now) = 0;

  // Who may see message `seq` of the conversation, without its sender, in byte order of name behind `behind`. Refused:
  // not_found (no such message, or not one that the user may see).
  virtual ReceiptPage receipts(const std::string& conv, const std::string& user, Seq seq, const std::string& behind,
                               int limit) = 0;

  // The user's contacts, requests and blocks, or only those of one state, in byte order behind `behind`.
  virtual std::vector<ContactRow> contacts(const std::string& user, const std::optional<ContactState>& only,
                                           const std::string& behind, int limit) = 0;

  // The user's own devices, in byte order behind `behind`.
  virtual std::vector<DeviceRow> devices(const std::string& user, const std::string& behind, int limit) = 0;
  // In the order of asking. Refused: not_found (a user).
  virtual std::vector<Profile> profiles(std::span<const std::string> users) = 0;

  // As Store::interrupt().
  virtual void interrupt() noexcept = 0;
};

// `uri` and what it promises: as open_postgres() of storage/store.h.
std::unique_ptr<RequestStore> open_request_store(const std::string& uri, std::string_view application_name);

}  // namespace chat
