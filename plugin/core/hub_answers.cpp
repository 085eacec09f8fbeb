// What the store is asked for, and what becomes of what it answers and tells.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "plugin/core/direct_rule.h"
#include "plugin/core/hub.h"
#include "plugin/core/rewrite.h"
#include "storage/json_members.h"
#include "storage/names.h"

namespace chat {
namespace {

constexpr TimeMs kWordOnItsWayMs =
    60'000;  // by then a change in PostgreSQL has been heard of, whatever the clocks' difference

// Of a message, or of one that is forwarded.
std::string message_id(std::string_view payload) {
  const auto forwarded = json_member(payload, "message");
  return json_text(forwarded.value_or(payload), "id").value_or("");
}

bool is_about_members(const std::string& payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  return !json.is_object() || json.value("kind", "").starts_with("member.");
}

}  // namespace

void Hub::ask_conversation(const std::string& name) {
  if (!asked_conversations_.insert(name).second) return;
  requests_.send({.body = LoadConversation{.name = name}, .barrier = journal_.end()});
}

// A reload that is under way may have read before the change: it is followed by one more, however many changes came.
void Hub::ask_again(const Conversation& conversation, Again what) {
  const auto [place, first] = reloading_.try_emplace(conversation.name, Again::kNo);
  if (!first) {
    place->second = std::max(place->second, what);
    return;
  }
  if (what == Again::kAll) {
    requests_.send({.body = LoadConversation{.name = conversation.name, .events_above = conversation.last_rev}});
  } else {
    requests_.send(
        {.body = LoadEvents{.name = conversation.name, .conv_id = conversation.id, .above = conversation.last_rev}});
  }
}

void Hub::ask_user(const std::string& name) {
  if (!asked_users_.insert(name).second) return;
  requests_.send({.body = LoadUser{.name = name}, .barrier = journal_.end()});
}

void Hub::notice(Notice notice) {
  expire_write();
  if (auto* conversation = std::get_if<ConversationLoaded>(&notice)) {
    loaded(*conversation);
  } else if (auto* events = std::get_if<EventsLoaded>(&notice)) {
    loaded(*events);
  } else if (auto* user = std::get_if<UserLoaded>(&notice)) {
    loaded(*user);
  } else if (auto* device = std::get_if<DeviceOpened>(&notice)) {
    outflow_.opened(*device);
  } else if (const auto* placed = std::get_if<DevicePlaced>(&notice)) {
    outflow_.placed(*placed);
  } else if (auto* refused = std::get_if<DeviceRefused>(&notice)) {
    if (auto* session = directory_.find_generation(refused->device, refused->generation)) {
      outflow_.close(*session);
      say_refused(session->user->name, topics_.user(session->user->name, user_topic::kInbox),
                  {.code = Code::kBadField, .reason = refused->reason, .id = {}});
    }
  } else if (auto* page = std::get_if<PageRead>(&notice)) {
    learn_recalls(*page);
    outflow_.page(std::move(*page));
  } else if (auto* batch = std::get_if<Committed>(&notice)) {
    committed(*batch);
  } else if (auto* changes = std::get_if<Changed>(&notice)) {
    changed(*changes);
  } else if (auto* line = std::get_if<LogLine>(&notice)) {
    broker_.log(line->level, line->text);
  }
}

void Hub::loaded(ConversationLoaded& answer) {
  std::vector<std::shared_ptr<User>> gone;
  auto again = Again::kNo;
  if (answer.reload) {
    if (const auto under_way = reloading_.extract(answer.name); !under_way.empty()) again = under_way.mapped();
  }
  const bool once_more = again != Again::kNo;
  const auto* before = conversations_.peek(answer.name);
  // A reload of what was forgotten meanwhile. It can't be taken: there was no barrier before it, and numbers that the
  // journal has given since would be given again. But what it brought is news that nobody here was told.
  if (before == nullptr && answer.reload) {
    if (!answer.state || !answer.events.empty() || once_more) learn_unseen(answer.name);
    return;
  }
  if (before != nullptr) {
    for (const auto& member : before->members) gone.push_back(member.user);
  }
  bool unseen = false;
  if (!answer.reload) {
    asked_conversations_.erase(answer.name);
    // The load may have read a change of which the word is still on its way: when that comes, it will be news no more.
    const auto changed_at = answer.state ? answer.state->changed_at : 0;
    unseen = changed_unseen_.erase(answer.name) > 0 || clock_.now() - changed_at < kWordOnItsWayMs;
  }
  std::shared_ptr<Conversation> conversation;
  if (answer.state) {
    const auto known = gone;
    conversation = conversations_.insert(*answer.state, directory_);
    // What was asked for before the word of a change came may have been read before it: another answer is on its way,
    // or is asked for by whoever waits.
    if (!answer.reload) {
      conversation->standing_sure = contacts_meanwhile_.erase(answer.name) == 0 || !direct_users(answer.name);
    } else if (again != Again::kAll) {
      conversation->standing_sure = true;
    }
    std::erase_if(gone, [&](const auto& user) { return conversation->member(user->name) != nullptr; });
    rewrite(conversation, answer.events, gone);
    if (unseen || answer.reload) place_new_members(*conversation, known);
    tell_events(*conversation, answer.events, gone);
  } else {
    contacts_meanwhile_.erase(answer.name);
    conversations_.erase(answer.name);
  }
  if (unseen) {
    directory_.each_session([&](Session& session) {
      if (!conversation || conversation->member(session.user->name) == nullptr)
        outflow_.drop_lane(session, answer.name);
    });
  }
  if (changed_meanwhile_.erase(answer.name) > 0) again = Again::kAll;
  if (again != Again::kNo && conversation) ask_again(*conversation, again);
  for (const auto& user : gone) {
    const auto sessions = user->sessions;  // a copy: serving may not change the list, but costs nothing to be sure
    for (auto* session : sessions) outflow_.drop_lane(*session, answer.name);
  }
  if (const auto watching = watchers_.find(answer.name); watching != watchers_.end()) {
    for (const auto& user : watching->second) {
      if (conversation && conversation->member(user) != nullptr) continue;
      say_refused(user, topics_.conversation(answer.name, "msg"),
                  {.code = Code::kNotMember,
                   .reason = "User " + in_quotes(user) + " is not a member of " + in_quotes(answer.name) + ".",
                   .id = {}});
    }
    watchers_.erase(watching);
  }
  const auto key = Parking::conversation_key(answer.name);
  if (answer.state) {
    resume(key);
    return;
  }
  for (const auto& parked : parking_.take(key)) {
    say_refused(parked->record.user, parked->record.topic, why_not_there(answer, *parked));
    resolve(*parked, false);
  }
}

// Of a publish that waited for a conversation that there is none of.
Refusal Hub::why_not_there(const ConversationLoaded& answer, const Parked& parked) {
  Refusal refusal{.code = Code::kNotFound,
                  .reason = "There is no conversation " + in_quotes(answer.name) + ".",
                  .id = message_id(parked.record.payload)};
  const auto users = direct_users(answer.name);
  const auto topic = topics_.parse(parked.record.topic);
  const bool message = topic && (topic->kind == PublishKind::kMessage || topic->kind == PublishKind::kDirect ||
                                 topic->kind == PublishKind::kForward);
  if (answer.apart) {
    auto apart = refuse_direct(answer.name, *answer.apart, parked.user->name, options_.require_contact);
    if (apart && message) {
      apart->id = refusal.id;
      return *std::move(apart);
    }
  } else if (users) {
    refusal.reason =
        "There is no user " + in_quotes(parked.user->name == users->first ? users->second : users->first) + ".";
  }
  return refusal;
}

void Hub::loaded(EventsLoaded& answer) {
  auto again = Again::kNo;
  if (const auto under_way = reloading_.extract(answer.name); !under_way.empty()) again = under_way.mapped();
  const auto* in_memory = conversations_.peek(answer.name);
  if (in_memory == nullptr) {  // forgotten meanwhile: news that nobody here was told
    if (!answer.events.empty() || again != Again::kNo) learn_unseen(answer.name);
    return;
  }
  const auto conversation = *in_memory->place;
  // Who came or went is told with the members as they are then, some of whom this broker may not know yet.
  const bool of_members = std::any_of(answer.events.begin(), answer.events.end(),
                                      [](const StoredEvent& event) { return is_about_members(event.payload); });
  rewrite(conversation, answer.events, {});  // what was taken back is gone at once, whatever else there is to ask
  if (of_members || again == Again::kAll) {
    ask_again(*conversation, Again::kAll);
    return;
  }
  if (!answer.events.empty()) conversation->last_rev = std::max(conversation->last_rev, answer.events.back().rev);
  tell_events(*conversation, answer.events, {});
  if (again != Again::kNo) ask_again(*conversation, again);
}

// From their first message on they miss nothing, though this broker learns of them only now.
void Hub::place_new_members(const Conversation& conversation, const std::vector<std::shared_ptr<User>>& known) {
  const StringSet names = [&] {
    StringSet all;
    for (const auto& user : known) all.insert(user->name);
    return all;
  }();
  for (const auto& member : conversation.members) {
    if (names.contains(member.user->name)) continue;
    for (auto* session : member.user->sessions) outflow_.place(*session, conversation);
  }
}

void Hub::loaded(UserLoaded& answer) {
  asked_users_.erase(answer.name);
  if (answer.state) {
    unknown_users_.erase(answer.name);
    senders_.insert(directory_.user(answer.name), *answer.state);
  } else {
    unknown_users_.insert(answer.name);
  }
  resume(Parking::sender_key(answer.name));
}

// The store may know of a recall before the word of it comes here: once a page tells anybody, nobody else is to get the
// text. Edits can wait for that word, which brings them in their order.
void Hub::learn_recalls(const PageRead& page) {
  const Conversation* conversation = nullptr;
  for (const auto& item : page.items) {
    if (item.rev == 0) continue;
    if (conversation == nullptr || conversation->name != item.conv) conversation = conversations_.peek(item.conv);
    if (conversation == nullptr || item.rev <= conversation->last_rev) continue;
    if (const auto rewriting = rewriting_of(*item.bytes); rewriting && rewriting->recalled)
      rewrite(*conversation->place,
              {{.conv_id = conversation->id,
                .conv = item.conv,
                .rev = item.rev,
                .server_time = rewriting->at,
                .payload = std::string(*item.bytes)}},
              {});
  }
}

// Before anything else goes out: what is still to be handed over holds what the messages have become.
void Hub::rewrite(const std::shared_ptr<Conversation>& conversation, const std::vector<StoredEvent>& events,
                  const std::vector<std::shared_ptr<User>>& gone) {
  for (const auto& event : events) {
    const auto rewriting = rewriting_of(event.payload);
    if (!rewriting) continue;
    if (const auto* held = conversation->in_tail(rewriting->seq)) {
      auto bytes = *held;
      rewrite_bytes(&bytes, *rewriting);
      tail_.replace(*conversation, rewriting->seq, std::move(bytes));
      if (rewriting->recalled) conversation->expiring.erase(rewriting->seq);
    }
    const auto of_user = [&](const User& user) {
      for (auto* session : user.sessions) outflow_.rewrite(*session, conversation->name, *rewriting);
    };
    for (const auto& member : conversation->members) of_user(*member.user);
    for (const auto& user : gone) of_user(*user);
  }
}

void Hub::tell_events(const Conversation& conversation, const std::vector<StoredEvent>& events,
                      const std::vector<std::shared_ptr<User>>& gone) {
  for (const auto& event : events) {
    const Bytes bytes(event.payload);
    outflow_.live_event(conversation, event.rev, bytes);
    if (gone.empty()) continue;
    const auto json = nlohmann::json::parse(event.payload, nullptr, false);
    for (const auto& user : gone) {
      if (json.is_object() && json.value("kind", "") == "member.removed" && json.value("user", "") == user->name) {
        outflow_.farewell(*user, bytes);
      }
    }
  }
}

void Hub::committed(const Committed& batch) {
  for (const auto position : parking_.take_stored(batch.up_to))
    journal_.append(ResolvedRecord{.resolves = position}, nullptr);
  for (const auto& [name, seq] : batch.conversations) {
    if (auto* conversation = conversations_.peek(name))
      conversation->committed_seq = std::max(conversation->committed_seq, seq);
  }
  for (const auto& [name, json] : batch.acks) {
    const auto user = directory_.find_user(name);
    if (user && !user->sessions.empty()) broker_.publish(topics_.user(name, user_topic::kAck), json, 1);
  }
}

// A conversation that is not in memory was changed: whoever is here has to learn of it, and a load that is under way
// may have read before that.
void Hub::learn_unseen(const std::string& name) {
  directory_.each_session([&](Session& session) { outflow_.read_again(session, name); });
  const bool asked = asked_conversations_.contains(name);
  if (!asked && directory_.session_count() == 0) return;
  if (asked) changed_meanwhile_.insert(name);
  changed_unseen_.insert(name);
  ask_conversation(name);
}

void Hub::changed(const Changed& changes) {
  for (const auto& change : changes.changes) {
    switch (change.kind) {
      case Change::Kind::kConversation:
      case Change::Kind::kEvents:
        if (const auto* conversation = conversations_.peek(change.name)) {
          ask_again(*conversation, change.kind == Change::Kind::kEvents ? Again::kEvents : Again::kAll);
        } else {
          learn_unseen(change.name);
        }
        break;
      case Change::Kind::kContacts:
        if (asked_conversations_.contains(change.name)) contacts_meanwhile_.insert(change.name);
        if (auto* conversation = conversations_.peek(change.name)) {
          conversation->standing_sure = false;
          ask_again(*conversation, Again::kAll);
        }
        break;
      case Change::Kind::kDevice:
        if (auto* session = directory_.find_device(change.device);
            session != nullptr && session->user->name == change.name && session->tap.state == Tap::State::kOpen) {
          outflow_.open(*session);
        }
        break;
      case Change::Kind::kEverything:
        unknown_users_.clear();
        changed_meanwhile_.insert(asked_conversations_.begin(), asked_conversations_.end());
        contacts_meanwhile_.insert(asked_conversations_.begin(), asked_conversations_.end());
        directory_.each_session([this](Session& session) { outflow_.read_again(session, {}); });
        for (const auto& name : conversations_.names()) ask_again(*conversations_.peek(name), Again::kAll);
        // Of conversations that are not in memory, too. The first time nobody has been told anything yet.
        if (std::exchange(heard_everything_, true)) {
          directory_.each_session([this](Session& session) { outflow_.look_again(session); });
        }
        break;
    }
  }
}

}  // namespace chat
