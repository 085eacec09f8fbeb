#include "plugin/core/outflow.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "plugin/core/rewrite.h"

namespace chat {
namespace {

constexpr std::size_t kWantsMax = 200;     // conversations that one page asks for
constexpr std::size_t kPageLow = 256;      // items: below, the next page is read ahead
constexpr std::size_t kIdleLanesMax = 64;  // lanes kept although nothing is open on them, to spare remaking them
constexpr TimeMs kAutoFlushMs = 100;       // how often handed-over cursors of kAuto devices are journaled

template <typename Number>
int drop_up_to(std::vector<Number>* rising, Number number) {
  const auto end = std::upper_bound(rising->begin(), rising->end(), number);
  const auto dropped = static_cast<int>(end - rising->begin());
  rising->erase(rising->begin(), end);
  return dropped;
}

void rewrite_item(PageItem* item, const Rewriting& rewriting) {
  rewrite_bytes(&item->bytes, rewriting);
  if (rewriting.recalled) item->expires_at = 0;  // a tombstone stays one
}

}  // namespace

Outflow::Outflow(const OutflowOptions& options, const TopicSpace& topics, const Clock& clock, Broker& broker,
                 Requests& requests, Journal& journal, ConversationCache& conversations, Directory& directory)
    : options_(options),
      topics_(topics),
      clock_(clock),
      broker_(broker),
      requests_(requests),
      journal_(journal),
      conversations_(conversations),
      directory_(directory) {}

void Outflow::open(Session& session) {
  auto& tap = session.tap;
  if (tap.state == Tap::State::kOpening) return;
  flush_auto(session);
  tap = Tap{};
  tap.state = Tap::State::kOpening;
  tap.generation = ++generations_;
  requests_.send(
      {.body = OpenDevice{.user = session.user->name, .device = session.device, .generation = tap.generation},
       .barrier = journal_.end()});
}

void Outflow::close(Session& session) {
  flush_auto(session);
  session.tap = Tap{};
}

void Outflow::apply(Tap& tap, const DeviceSettings& settings) {
  tap.replay = settings.replay.value_or(options_.replay);
  tap.replay_limit = settings.replay_limit.value_or(options_.replay_limit);
  tap.ack = settings.ack.value_or(options_.ack);
}

void Outflow::drop_lane(Session& session, std::string_view conv) {
  auto& tap = session.tap;
  const auto found = tap.lanes.find(conv);
  if (found == tap.lanes.end()) return;
  const auto& lane = found->second;
  tap.outstanding -= static_cast<int>(lane.unacked.size() + lane.rev_unacked.size());
  std::erase(tap.behind, conv);
  std::erase(tap.auto_dirty, conv);
  std::erase_if(tap.page, [&](const PageItem& item) { return item.conv == conv; });
  tap.lanes.erase(found);
  pump(session);
}

void Outflow::look_again(Session& session) {
  auto& tap = session.tap;
  if (tap.state != Tap::State::kOpen) return;
  tap.look = ++generations_;
  requests_.send({.body = OpenDevice{.user = session.user->name, .device = session.device, .generation = tap.look},
                  .barrier = journal_.end()});
}

void Outflow::looked(Session& session, const DeviceOpened& answer) {
  auto& tap = session.tap;
  if (tap.look != answer.generation) return;
  tap.look = 0;
  for (const auto& owed : answer.opening.owed) {
    const auto found = tap.lanes.find(owed.conv);
    if (found != tap.lanes.end() && found->second.placing > 0) continue;
    auto& lane = lane_at(tap, owed.conv, owed.conv_id, owed.delivered, owed.rev);
    lane.target = std::max(lane.target, owed.last_seq);
    lane.rev_target = std::max(lane.rev_target, owed.last_rev);
    if (!lane.complete()) put_behind(tap, lane);
  }
  pump(session);
}

void Outflow::page(PageRead answer) {
  auto* session = directory_.find_generation(answer.device, answer.generation);
  if (session == nullptr || session->tap.state != Tap::State::kOpen) return;
  auto& tap = session->tap;
  tap.page_asked = false;
  const auto rewritten = std::exchange(tap.rewritten, {});
  const auto again = std::exchange(tap.read_again, {});
  for (auto& item : answer.items) {
    const auto found = tap.lanes.find(item.conv);
    if (found == tap.lanes.end() || again.contains(item.conv)) continue;
    for (const auto& [conv, rewriting] : rewritten) {
      if (conv == item.conv && rewriting.seq == item.seq) rewrite_item(&item, rewriting);
    }
    found->second.fetched = std::max(found->second.fetched, item.seq);
    found->second.rev_fetched = std::max(found->second.rev_fetched, item.rev);
    tap.page.push_back(std::move(item));
  }
  for (const auto& want : answer.finished) {
    const auto found = tap.lanes.find(want.conv);
    if (found == tap.lanes.end() || again.contains(want.conv)) continue;
    found->second.fetched = std::max(found->second.fetched, want.target);
    found->second.rev_fetched = std::max(found->second.rev_fetched, want.rev_target);
  }
  pump(*session);
}

void Outflow::live(const Conversation& conversation, Seq seq, const Bytes& bytes) {
  for (const auto& member : conversation.members) {
    for (auto* session : member.user->sessions) {
      auto& tap = session->tap;
      if (tap.state == Tap::State::kClosed) continue;
      // While it opens it may still ask for its inbox: the answer that is on its way does not know of this message.
      if (tap.state == Tap::State::kOpen && !session->wants_inbox) continue;
      auto& lane = lane_at(tap, conversation.name, conversation.id, seq - 1, conversation.last_rev);
      const bool complete = lane.complete() && !lane.behind;
      lane.target = seq;
      lane.barrier = conversation.last_position;
      if (tap.state == Tap::State::kOpening || lane.placing > 0) continue;
      if (complete && lane.sent == seq - 1 && may_send(*session)) {
        send(*session, lane, seq, 0, bytes);
      } else {
        put_behind(tap, lane);
      }
    }
  }
}

void Outflow::live_event(const Conversation& conversation, Rev rev, const Bytes& bytes) {
  for (const auto& member : conversation.members) {
    if (rev < member.join_rev) continue;
    for (auto* session : member.user->sessions) {
      auto& tap = session->tap;
      if (tap.state == Tap::State::kClosed) continue;
      auto& lane = lane_at(tap, conversation.name, conversation.id, conversation.last_seq, rev - 1);
      if (lane.rev_target >= rev) continue;
      const bool complete = lane.complete() && !lane.behind;
      lane.rev_target = rev;
      if (tap.state == Tap::State::kOpening || lane.placing > 0) continue;
      if (complete && lane.rev_sent == rev - 1 && may_send(*session)) {
        send(*session, lane, 0, rev, bytes);
      } else {
        put_behind(tap, lane);
      }
    }
  }
}

void Outflow::rewrite(Session& session, std::string_view conv, const Rewriting& rewriting) {
  auto& tap = session.tap;
  for (auto& item : tap.page) {
    if (item.seq == rewriting.seq && item.conv == conv) rewrite_item(&item, rewriting);
  }
  if (tap.page_asked) tap.rewritten.emplace_back(conv, rewriting);
}

void Outflow::read_again(Session& session, std::string_view conv) {
  auto& tap = session.tap;
  for (auto& [name, lane] : tap.lanes) {
    if (!conv.empty() && name != conv) continue;
    if (tap.page_asked) tap.read_again.insert(name);
    if (lane.fetched == lane.sent && lane.rev_fetched == lane.rev_sent) continue;
    lane.fetched = lane.sent;
    lane.rev_fetched = lane.rev_sent;
    put_behind(tap, lane);
  }
  std::erase_if(tap.page, [&](const PageItem& item) { return conv.empty() || item.conv == conv; });
  pump(session);
}

void Outflow::farewell(const User& user, const Bytes& bytes) {
  for (auto* session : user.sessions) {
    if (session->wants_event)
      broker_.publish_to({session->device, session->generation}, topics_.user(user.name, user_topic::kEvent), bytes,
                         session->qos);
  }
}

Outflow::Acknowledged Outflow::acknowledged(Session& session, std::string_view conv, Seq delivered, Rev rev,
                                            ConvId* conv_id) {
  auto& tap = session.tap;
  const auto found = tap.lanes.find(conv);
  // While its place is asked of the store, a lane says what is live, not what the device has.
  if (found == tap.lanes.end() || tap.state != Tap::State::kOpen || found->second.placing > 0)
    return Acknowledged::kNoLane;
  auto& lane = found->second;
  const auto* conversation = conversations_.peek(conv);
  const auto last = std::max({lane.sent, lane.target, conversation != nullptr ? conversation->last_seq : 0});
  if (delivered > last) return conversation != nullptr ? Acknowledged::kTooHigh : Acknowledged::kNoLane;
  *conv_id = lane.conv_id;
  // A page may have brought events that memory has not heard of yet. What does not exist at all the store clips.
  const auto last_rev =
      std::max({lane.rev_sent, lane.rev_target, conversation != nullptr ? conversation->last_rev : 0});
  const bool raised = delivered > lane.acked || rev > lane.rev_acked;
  lane.unkept = raised;
  rev = std::min(rev, last_rev);
  // A device may know more than it was handed, from `history` or the conversation's own topic.
  lane.sent = std::max(lane.sent, delivered);
  lane.fetched = std::max(lane.fetched, lane.sent);
  lane.target = std::max(lane.target, lane.sent);
  lane.rev_sent = std::max(lane.rev_sent, rev);
  lane.rev_fetched = std::max(lane.rev_fetched, lane.rev_sent);
  lane.rev_target = std::max(lane.rev_target, lane.rev_sent);
  tap.outstanding -= drop_up_to(&lane.unacked, delivered) + drop_up_to(&lane.rev_unacked, rev);
  if (raised) return Acknowledged::kRaised;
  forget_if_idle(tap, lane);
  return Acknowledged::kKnown;
}

void Outflow::journaled(Session& session, std::string_view conv, Seq delivered, Rev rev) {
  auto& tap = session.tap;
  const auto found = tap.lanes.find(conv);
  const bool has_lane = found != tap.lanes.end();
  if (tap.state == Tap::State::kOpening || (has_lane && found->second.placing > 0)) {
    // The store's answer may be from before this acknowledgement.
    auto& early = tap.early[std::string(conv)];
    early = {std::max(early.first, delivered), std::max(early.second, rev)};
  } else if (has_lane) {
    auto& lane = found->second;
    lane.acked = std::max(lane.acked, delivered);
    lane.rev_acked = std::max(lane.rev_acked, std::min(rev, lane.rev_target));
    lane.unkept = false;
    forget_if_idle(tap, lane);
  }
}

void Outflow::pump(Session& session) {
  auto& tap = session.tap;
  if (tap.state != Tap::State::kOpen) return;
  send_page(session);
  while (tap.page.empty() && !tap.behind.empty() && may_send(session)) {
    auto& lane = tap.lanes.find(tap.behind.front())->second;
    if (!serve_lane(session, lane)) break;
    tap.behind.pop_front();
    lane.behind = false;
    forget_if_idle(tap, lane);
  }
  if (!tap.behind.empty() && !tap.page_asked && tap.page.size() < kPageLow) ask_page(session);
  if (tap.catching_up && tap.behind.empty()) finish_catching_up(session);
}

void Outflow::tick() {
  const auto now = clock_.steady();
  if (now - flushed_at_ < kAutoFlushMs) return;
  flushed_at_ = now;
  directory_.each_session([this](Session& session) {
    if (session.tap.state != Tap::State::kOpen || session.tap.ack != AckMode::kAuto) return;
    flush_auto(session);
    if (!session.tap.behind.empty()) pump(session);
  });
}

Lane& Outflow::lane_at(Tap& tap, std::string_view conv, ConvId conv_id, Seq sent, Rev rev_sent) {
  const auto found = tap.lanes.find(conv);
  if (found != tap.lanes.end()) return found->second;
  auto& lane = tap.lanes[std::string(conv)];
  lane.conv = conv;
  lane.conv_id = conv_id;
  lane.sent = lane.fetched = lane.target = lane.acked = sent;
  lane.rev_sent = lane.rev_fetched = lane.rev_target = lane.rev_acked = rev_sent;
  return lane;
}

void Outflow::put_behind(Tap& tap, Lane& lane) {
  if (lane.behind) return;
  lane.behind = true;
  tap.behind.push_back(lane.conv);
}

bool Outflow::may_send(Session& session) {
  auto& tap = session.tap;
  if (tap.ack == AckMode::kClient) return tap.outstanding < options_.window;
  const auto now = clock_.steady();
  tap.tokens =
      std::min(kAutoBurst, tap.tokens + static_cast<double>(now - tap.tokens_at) * options_.auto_rate / 1000.0);
  tap.tokens_at = now;
  return tap.tokens >= 1;
}

void Outflow::send(Session& session, Lane& lane, Seq seq, Rev rev, const Bytes& bytes) {
  auto& tap = session.tap;
  const bool wanted = seq > 0 ? session.wants_inbox : session.wants_event;
  if (seq > 0) {
    lane.sent = std::max(lane.sent, seq);
    lane.fetched = std::max(lane.fetched, lane.sent);
  } else {
    lane.rev_sent = std::max(lane.rev_sent, rev);
    lane.rev_fetched = std::max(lane.rev_fetched, lane.rev_sent);
  }
  if (!wanted) return;  // not subscribed: its cursor stays where it is, for the day it subscribes
  broker_.publish_to({session.device, session.generation},
                     topics_.user(session.user->name, seq > 0 ? user_topic::kInbox : user_topic::kEvent), bytes,
                     session.qos);
  if (tap.ack == AckMode::kAuto) {
    tap.tokens -= 1;
    // Of its own kind only: what the device did not subscribe to was passed over, not handed to it.
    if (seq > 0) {
      lane.auto_acked = seq;
    } else {
      lane.auto_rev_acked = rev;
    }
    if (!lane.auto_dirty) {
      lane.auto_dirty = true;
      tap.auto_dirty.push_back(lane.conv);
    }
    return;
  }
  if (seq > 0) {
    lane.unacked.push_back(seq);
  } else {
    lane.rev_unacked.push_back(rev);
  }
  ++tap.outstanding;
}

void Outflow::send_page(Session& session) {
  auto& tap = session.tap;
  while (!tap.page.empty() && may_send(session)) {
    auto item = std::move(tap.page.front());
    tap.page.pop_front();
    const auto found = tap.lanes.find(item.conv);
    if (found == tap.lanes.end()) continue;
    auto& lane = found->second;
    if (item.expires_at > 0 && item.expires_at <= clock_.now()) expire_bytes(&item.bytes);
    if (item.seq > lane.sent || item.rev > lane.rev_sent) send(session, lane, item.seq, item.rev, item.bytes);
  }
}

// Hands over what the tail holds. True: the lane is complete. False: no room, or the store has to be asked.
bool Outflow::serve_lane(Session& session, Lane& lane) {
  // Where all that exists was read, a hole that is left is one in the store too (an expired partition): step over it.
  if (lane.sent < lane.fetched) lane.sent = lane.fetched;
  if (lane.rev_sent < lane.rev_fetched) lane.rev_sent = lane.rev_fetched;
  if (const auto* conversation = conversations_.peek(lane.conv); conversation != nullptr && session.wants_inbox) {
    while (lane.sent < lane.target) {
      const auto* bytes = conversation->in_tail(lane.sent + 1);
      if (bytes == nullptr) break;
      if (!may_send(session)) return false;
      auto held = *bytes;
      const auto expires_at = conversation->expires_at(lane.sent + 1);
      if (expires_at > 0 && expires_at <= clock_.now()) expire_bytes(&held);
      send(session, lane, lane.sent + 1, 0, held);
    }
  }
  if (!session.wants_inbox) lane.sent = lane.fetched = lane.target;
  return lane.complete();
}

void Outflow::ask_page(Session& session) {
  auto& tap = session.tap;
  ReadPage page{.device = session.device, .generation = tap.generation, .wants = {}};
  Position barrier = 0;
  std::size_t held_lanes = 0;
  for (const auto& conv : tap.behind) {
    if (page.wants.size() >= kWantsMax) break;
    const auto& lane = tap.lanes.find(conv)->second;
    const bool events = lane.rev_fetched < lane.rev_target;
    // What the tail holds needs no page: a device that only waits for room in its window costs PostgreSQL nothing.
    const bool held = lane.fetched < lane.target && next_in_tail(lane);
    if (held && ++held_lanes > kWantsMax) break;
    if (!events && (held || lane.fetched >= lane.target)) continue;
    page.wants.push_back({.conv = lane.conv,
                          .conv_id = lane.conv_id,
                          .above = lane.fetched,
                          .target = held ? lane.fetched : lane.target,
                          .rev_above = lane.rev_fetched,
                          .rev_target = lane.rev_target});
    barrier = std::max(barrier, lane.barrier);
  }
  if (page.wants.empty()) return;
  tap.page_asked = true;
  requests_.send({.body = std::move(page), .barrier = barrier});
}

// Whether what follows the lane's page can be served without the store, should it still be there when its turn comes.
bool Outflow::next_in_tail(const Lane& lane) const {
  const auto* conversation = conversations_.peek(lane.conv);
  return conversation != nullptr && conversation->in_tail(lane.fetched + 1) != nullptr;
}

void Outflow::finish_catching_up(Session& session) {
  session.tap.catching_up = false;
  say_sync(session, R"({"state":"end"})");
}

void Outflow::forget_if_idle(Tap& tap, Lane& lane) {
  if (lane.behind || lane.auto_dirty || lane.unkept || lane.placing > 0 || !lane.complete() || !lane.unacked.empty() ||
      !lane.rev_unacked.empty())
    return;
  if (tap.state == Tap::State::kOpen && tap.lanes.size() > kIdleLanesMax) tap.lanes.erase(std::string(lane.conv));
}

void Outflow::flush_auto(Session& session) {
  auto& tap = session.tap;
  for (const auto& conv : tap.auto_dirty) {
    auto& lane = tap.lanes.find(conv)->second;
    lane.auto_dirty = false;
    // A journal that is full loses nothing here: the device gets the messages once more.
    journal_.append(CursorRecord{.cursor = {.conv_id = lane.conv_id,
                                            .user = session.user->name,
                                            .device = session.device,
                                            .delivered = lane.auto_acked,
                                            .rev = lane.auto_rev_acked,
                                            .read = 0,
                                            .at = clock_.now()},
                                 .resolves = 0},
                    nullptr);
    forget_if_idle(tap, lane);
  }
  tap.auto_dirty.clear();
}

void Outflow::say_sync(Session& session, std::string json) {
  if (session.wants_sync)
    broker_.publish_to({session.device, session.generation}, topics_.user(session.user->name, user_topic::kSync),
                       Bytes(std::move(json)), session.qos);
}

}  // namespace chat
