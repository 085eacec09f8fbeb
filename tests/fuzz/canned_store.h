// A store for the requests' fuzz target: it answers what could be, out of its head, and ends the program where a
// handler asks for what it must never ask for. What the answers mean is tested on PostgreSQL; here it is the handlers'
// checks of what a stranger wrote.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bridge/handlers/limits.h"
#include "storage/names.h"
#include "storage/presence.h"
#include "storage/refusals.h"
#include "storage/requests.h"
#include "tests/fuzz/target.h"

namespace chat::fuzz {

// Text that PostgreSQL can keep, within a bound.
inline void require_text(const std::string& text, std::size_t bytes_max) {
  require(text.size() <= bytes_max && text.find('\0') == std::string::npos, "a text is bounded and without U+0000");
}
inline void require_user(const std::string& name) {
  require(valid_user_name(name), "who is named to the store has a user's name", name);
}
inline void require_conversation(const std::string& name) {
  require(valid_conversation_name(name), "what is named to the store has a conversation's name", name);
}
inline void require_seq(Seq seq) {
  require(seq >= 1, "a message's number is at least 1");
}

class CannedChanges : public RequestChanges {
 public:
  std::string create_group(const NewGroup& group, const GroupBounds& /*bounds*/) override {
    require_text(group.title, kTitleMax);
    require_text(group.avatar, kAvatarMax);
    require_users(group.members);
    return "g:new";
  }
  std::string create_direct(const std::string& other, bool /*contacts_only*/) override {
    require_user(other);
    return direct_name("alice", other == "alice" ? "bob" : other);
  }
  void update_conversation(const std::string& conv, const ConversationUpdate& update) override {
    require_conversation(conv);
    require_text(update.title.value_or(""), kTitleMax);
    require_text(update.avatar.value_or(""), kAvatarMax);
  }
  void leave(const std::string& conv) override { require_conversation(conv); }
  AddedMembers add_members(const std::string& conv, std::span<const std::string> users,
                           const GroupBounds& /*bounds*/) override {
    require_conversation(conv);
    require_users(users);
    return {conv, {users.begin(), users.end()}};
  }
  void remove_members(const std::string& conv, std::span<const std::string> users) override {
    require_conversation(conv);
    require_users(users);
  }
  void set_role(const std::string& conv, const std::string& user, Role /*role*/) override {
    require_conversation(conv);
    require_user(user);
  }
  std::optional<ContactState> change_contact(ContactAction /*action*/, const std::string& other) override {
    require_user(other);
    if (other.size() > 8) return std::nullopt;
    return ContactState::kAccepted;
  }
  DeviceRow set_device(const std::string& device, const DeviceSettings& settings) override {
    require_text(device, kDeviceNameMax);
    require(settings.replay_limit.value_or(1) >= 1, "a limit is at least 1");
    return {"alice", device, 1, 2, settings};
  }
  void set_profile(const ProfileUpdate& update) override {
    require_text(update.name.value_or(""), kDisplayNameMax);
    require_text(update.avatar.value_or(""), kAvatarMax);
    require_text(update.about.value_or(""), kAboutMax);
  }
  void set_settings(const std::string& conv, const SettingsUpdate& update) override {
    require_conversation(conv);
    require_text(update.draft.value_or(""), kDraftMax);
  }
  void delete_messages(const std::string& conv, std::span<const Seq> seqs) override {
    require_conversation(conv);
    require(!seqs.empty() && seqs.size() <= kDeletedAtOnceMax, "what is deleted is counted");
    for (const auto seq : seqs) require_seq(seq);
  }
  void delete_up_to(const std::string& conv, Seq seq) override {
    require_conversation(conv);
    require_seq(seq);
  }
  std::vector<ForwardedTo> forward_message(const std::string& conv, Seq seq, std::span<const std::string> to,
                                           bool /*contacts_only*/) override {
    require_conversation(conv);
    require_seq(seq);
    require(!to.empty() && to.size() <= kForwardedAtOnceMax, "targets are counted");
    std::vector<ForwardedTo> forwarded;
    for (const auto& target : to) {
      require(valid_user_name(target) || valid_conversation_name(target), "a target is a name", target);
      forwarded.push_back({"g:team", "fw-" + target});
    }
    return forwarded;
  }
  void kick_device(const std::string& device, bool /*forget*/) override { require_text(device, kDeviceNameMax); }

 private:
  static void require_users(std::span<const std::string> users) {
    require(users.size() <= kUsersMax, "users are counted");
    for (const auto& user : users) require_user(user);
  }
};

class CannedStore : public RequestStore, public PresenceStore {
 public:
  // The same key is answered the same, as PostgreSQL does.
  std::string once(const RequestKey& key, const std::function<std::string(RequestChanges&)>& work) override {
    require_user(key.user);
    require(!key.id.empty() && key.id.size() <= 64, "a request has an id");
    const auto known = answered_.find(key.id);
    if (known != answered_.end()) {
      if (known->second.first != key.operation + key.request) throw StoreRefused("id_conflict", "another request");
      return known->second.second;
    }
    CannedChanges changes;
    auto answer = work(changes);
    answered_[key.id] = {key.operation + key.request, answer};
    return answer;
  }
  void forget() { answered_.clear(); }

  std::vector<Seat> seats(std::span<const std::string> convs, const std::string& user) override {
    require_user(user);
    std::vector<Seat> seats;
    for (const auto& conv : convs) {
      // Unlike the others it is asked for names as they were written.
      if (!valid_conversation_name(conv)) throw StoreRefused("not_found", "there is no conversation of that name");
      seats.push_back({.conv_id = 7, .last_seq = 9});
    }
    return seats;
  }
  ConversationView conversation(const std::string& conv, const std::string& user, TimeMs /*now*/) override {
    require_conversation(conv);
    require_user(user);
    ConversationView view;
    view.conv = conv;
    view.title = "a \"title\"";
    return view;
  }
  ConversationPage overview(const std::string& user, const std::optional<ListPlace>& /*behind*/, int limit,
                            TimeMs now) override {
    require_limit(limit, kPageMost);
    auto view = conversation("g:team", user, now);
    view.last = message();
    return {.rows = {view}, .next = ListPlace{true, 5, 7}, .conversations = 1};
  }
  std::vector<ConversationView> overview_of(const std::string& /*user*/, std::span<const ConvId> /*convs*/,
                                            TimeMs /*now*/) override {
    return {};
  }
  UnreadPage unread(const std::string& user, ConvId /*behind*/, int limit, TimeMs /*now*/) override {
    require_user(user);
    require_limit(limit, kPageMost);
    return {3, {{"g:team", 3, 1, false}}, 7};
  }
  std::vector<MemberRow> members(ConvId /*conv*/, const std::string& behind, int limit) override {
    require_text(behind, kUserNameMax);
    require_limit(limit, kPageMost + 1);
    return {{"alice", "Alice", Role::kOwner, 1}, {"bob", "Bob", Role::kMember, 2}};
  }
  MessagePage messages(const std::string& user, std::span<const SeqRange> ranges, bool /*newest*/, int limit,
                       std::size_t /*bytes_max*/, TimeMs /*now*/) override {
    require_user(user);
    require_limit(limit, kSyncMost);
    require(ranges.size() <= kSyncRangesMax, "ranges are counted");
    for (const auto& range : ranges) require(range.low >= 1 && range.high >= 0, "a range is of messages' numbers");
    return {{message()}, true};
  }
  EventPage events(const std::string& user, std::span<const RevWant> wants, int limit) override {
    require_user(user);
    require_limit(limit, kSyncMost);
    for (const auto& want : wants) require(want.above >= 0, "events are counted from 1");
    return {{{7, "g:team", 1, 5, R"({"conv":"g:team","rev":1})"}}, false};
  }
  std::vector<ReactionRow> reactions(ConvId /*conv*/, std::span<const Seq> /*seqs*/) override {
    return {{1, "+1", 60, {"bob"}}};
  }
  SearchPage search(const std::string& user, const SearchWanted& wanted, int limit, std::size_t /*bytes_max*/,
                    TimeMs /*now*/) override {
    require_user(user);
    require_text(wanted.words, kSearchedMax);
    require_limit(limit, kHistoryMost);
    if (!wanted.from.empty()) require_user(wanted.from);
    require(wanted.after >= 0, "a time is not before the epoch");
    return {{message()}, SearchPlace{1, 2, 3}};
  }
  ReceiptPage receipts(const std::string& conv, const std::string& user, Seq seq, const std::string& behind,
                       int limit) override {
    require_conversation(conv);
    require_user(user);
    require_seq(seq);
    require_text(behind, kUserNameMax);
    require_limit(limit, kPageMost);
    return {1, 1, {{"bob", true, true}}, true};
  }
  std::vector<ContactRow> contacts(const std::string& user, const std::optional<ContactState>& /*only*/,
                                   const std::string& behind, int limit) override {
    require_user(user);
    require_text(behind, kUserNameMax);
    require_limit(limit, kPageMost + 1);
    return {{"bob", "Bob", "", ContactState::kAccepted, 1}, {"carol", "", "", ContactState::kBlocked, 2}};
  }
  std::vector<DeviceRow> devices(const std::string& user, const std::string& behind, int limit) override {
    require_user(user);
    require_text(behind, kDeviceNameMax);
    require_limit(limit, kPageMost + 1);
    return {{user, "phone", 1, 2, {}}, {user, "tab", 1, 2, {}}};
  }
  std::vector<Profile> profiles(std::span<const std::string> users) override {
    require(users.size() <= kProfilesMax, "profiles are counted");
    std::vector<Profile> profiles;
    for (const auto& user : users) {
      require_user(user);
      profiles.push_back({user, "Name", "", "\xc3\xbc"});
    }
    return profiles;
  }

  std::vector<KeptSession> kept() override { return {}; }
  void keep(std::span<const SessionName> /*begun*/, std::span<const EndedSession> /*ended*/, TimeMs /*now*/) override {}
  std::vector<Watch> watchers(std::span<const std::string> /*users*/) override { return {}; }
  std::vector<Sighting> sightings(const std::string& asker, std::span<const std::string> users) override {
    require_user(asker);
    require(users.size() <= kPresencesMax, "who is asked for is counted");
    std::vector<Sighting> sightings;
    for (const auto& user : users) {
      require_user(user);
      sightings.push_back({user, user.size() < 9, user.size() < 7, 5});
    }
    return sightings;
  }
  void watch(const SessionName& session, std::span<const std::string> /*users*/, TimeMs /*now*/) override {
    require_user(session.user);
  }
  void unwatch(const SessionName& session, std::span<const std::string> /*users*/) override {
    require_user(session.user);
  }

  void interrupt() noexcept override {}

 private:
  static void require_limit(int limit, int most) {
    require(limit >= 1 && limit <= most, "a page has from 1 to so many rows");
  }
  static StoredMessage message() {
    StoredMessage message;
    message.conv_id = 7;
    message.conv = "g:team";
    message.seq = 1;
    message.server_time = 5;
    message.sender = "bob";
    message.payload = R"({"body":"hello"})";
    return message;
  }

  std::map<std::string, std::pair<std::string, std::string>> answered_;
};

}  // namespace chat::fuzz
