// The part of Outflow that puts a device in its place: what the store says of its cursors when a tap opens, or when one
// conversation was changed out of sight.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugin/core/outflow.h"

namespace chat {
namespace {

// A device's backlog in one conversation. The numbers that a jump left out behind a loss are no messages.
class Backlog {
 public:
  Backlog(Seq sent, Seq target, Seq jumped_to) : sent_(sent), target_(target), jumped_to_(jumped_to) {}

  std::int64_t messages() const {
    const bool jumps = jumped_to_ > sent_ && jumped_to_ <= target_;
    return target_ - sent_ - (jumps ? std::min(kSeqJump, jumped_to_ - sent_) : 0);
  }
  // Above this one lie the newest `limit` messages.
  Seq newest_above(int limit) const {
    const Seq above = target_ - limit;
    return above < jumped_to_ && jumped_to_ <= target_ ? std::max(above - kSeqJump, sent_) : above;
  }

 private:
  Seq sent_;
  Seq target_;
  Seq jumped_to_;
};

}  // namespace

void Outflow::opened(const DeviceOpened& answer) {
  auto* session = directory_.find_device(answer.device);
  if (session == nullptr) return;
  auto& tap = session->tap;
  if (tap.generation != answer.generation || tap.state != Tap::State::kOpening) return looked(*session, answer);
  apply(tap, answer.opening.settings);
  tap.state = Tap::State::kOpen;
  tap.catching_up = true;
  tap.tokens = kAutoBurst;
  tap.tokens_at = clock_.steady();
  // Lanes that live messages made meanwhile start at what was live; the store's answer takes them back to the cursor.
  std::vector<std::string> live_only;
  for (const auto& [conv, lane] : tap.lanes) live_only.push_back(conv);
  std::int64_t messages = 0;
  std::size_t conversations = 0;
  std::vector<nlohmann::ordered_json> notices;
  for (const auto& owed : answer.opening.owed) {
    auto& lane = lane_at(tap, owed.conv, owed.conv_id, owed.delivered, owed.rev);
    put_at(tap, lane, owed);
    if (lane.placing > 0) continue;
    if (const Backlog all(lane.sent, lane.target, owed.jumped_to);
        tap.replay == Replay::kNewest && all.messages() > tap.replay_limit) {
      const auto from = all.newest_above(tap.replay_limit);
      notices.push_back({{"state", "limited"}, {"conv", lane.conv}, {"from", lane.sent + 1}, {"to", from}});
      lane.sent = lane.fetched = lane.acked = from;
    }
    put_behind(tap, lane);
    const auto backlog = Backlog(lane.sent, lane.target, owed.jumped_to).messages();
    messages += backlog;
    if (backlog > 0) ++conversations;
  }
  for (const auto& conv : live_only) {
    auto& lane = tap.lanes.find(conv)->second;
    if (lane.behind || lane.placing > 0) continue;
    take_early(tap, lane);
    put_behind(tap, lane);
    messages += lane.target - lane.sent;
    if (lane.target > lane.sent) ++conversations;
  }
  if (tap.placings.empty()) tap.early.clear();
  say_sync(*session,
           nlohmann::ordered_json{{"state", "begin"}, {"messages", messages}, {"conversations", conversations}}.dump());
  for (const auto& notice : notices) say_sync(*session, notice.dump());
  pump(*session);
}

void Outflow::place(Session& session, const Conversation& conversation) {
  auto& tap = session.tap;
  if (tap.state == Tap::State::kClosed) return;
  const auto found = tap.lanes.find(conversation.name);
  if (found != tap.lanes.end() && found->second.placing == 0 && tap.state == Tap::State::kOpen) {
    // It knows its place; what it did not hear of is behind it, messages too: while this broker did not know of the
    // member, they went to the others only.
    auto& lane = found->second;
    lane.target = std::max(lane.target, conversation.last_seq);
    lane.barrier = std::max(lane.barrier, conversation.last_position);
    lane.rev_target = std::max(lane.rev_target, conversation.last_rev);
    if (!lane.complete()) put_behind(tap, lane);
    pump(session);
    return;
  }
  auto& lane = lane_at(tap, conversation.name, conversation.id, conversation.last_seq, conversation.last_rev);
  lane.barrier = std::max(lane.barrier, conversation.last_position);
  const auto generation = lane.placing = ++generations_;
  tap.placings.emplace(generation, conversation.name);
  requests_.send({.body = PlaceDevice{.user = session.user->name,
                                      .device = session.device,
                                      .generation = generation,
                                      .conv_id = conversation.id},
                  .barrier = journal_.end()});
}

void Outflow::placed(const DevicePlaced& answer) {
  auto* found_session = directory_.find_device(answer.device);
  if (found_session == nullptr) return;
  auto& session = *found_session;
  auto& tap = session.tap;
  const auto asked = tap.placings.extract(answer.generation);
  if (asked.empty()) return;
  const auto& conv = asked.mapped();
  const auto found = tap.lanes.find(conv);
  if (found == tap.lanes.end() || found->second.placing != answer.generation) return;
  auto& lane = found->second;
  lane.placing = 0;
  if (answer.owed) {
    put_at(tap, lane, *answer.owed);
  } else {
    take_early(tap, lane);
  }
  if (tap.state != Tap::State::kOpen) return;
  tap.early.erase(conv);
  if (!lane.complete()) put_behind(tap, lane);
  pump(session);
}

void Outflow::put_at(Tap& tap, Lane& lane, const Owed& owed) {
  lane.sent = lane.fetched = lane.acked = owed.delivered;
  lane.rev_sent = lane.rev_fetched = lane.rev_acked = owed.rev;
  lane.target = std::max(lane.target, owed.last_seq);
  lane.rev_target = std::max(lane.rev_target, owed.last_rev);
  take_early(tap, lane);
}

void Outflow::take_early(Tap& tap, Lane& lane) {
  const auto found = tap.early.find(lane.conv);
  if (found == tap.early.end()) return;
  const auto [seq, rev] = found->second;
  lane.sent = lane.fetched = lane.acked = std::max(lane.sent, seq);
  lane.rev_sent = lane.rev_fetched = lane.rev_acked = std::max(lane.rev_sent, std::min(rev, lane.rev_target));
  lane.target = std::max(lane.target, lane.sent);
}

}  // namespace chat
