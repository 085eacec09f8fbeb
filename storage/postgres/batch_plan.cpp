#include "storage/postgres/batch_plan.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "storage/activity.h"
#include "storage/errors.h"
#include "storage/names.h"
#include "storage/postgres/months.h"

namespace chat {
namespace {

struct Head {
  Seq first = 0;
  Seq last = 0;
  TimeMs time = 0;
};

struct CursorKey {
  ConvId conv_id;
  std::string_view user;
  std::string_view device;
  auto operator<=>(const CursorKey&) const = default;
};

struct CursorHash {
  std::size_t operator()(const CursorKey& key) const {
    const std::hash<std::string_view> text;
    return (text(key.user) * 31 + text(key.device)) * 31 + static_cast<std::size_t>(key.conv_id);
  }
};

struct CursorValue {
  Seq delivered = 0;
  Rev rev = 0;
  Seq read = 0;
  TimeMs at = 0;
};

// How far a user has come, over all of their devices.
struct Reach {
  Seq delivered = 0;
  Seq read = 0;
  TimeMs at = 0;
};

// Whose unread messages the batch changes.
struct Touched {
  std::unordered_set<ConvId> conversations;
  ActivityNotices notices;
};

void gather_messages(const Batch& batch, BatchPlan* plan, Touched* touched) {
  std::map<ConvId, Head> heads;
  std::map<std::pair<ConvId, std::string_view>, Seq> senders;
  std::map<int, TimeMs> months;
  for (const auto& message : batch.messages) {
    const auto [it, first] = heads.try_emplace(message.conv_id, Head{message.seq, message.seq, message.server_time});
    auto& head = it->second;
    if (!first && message.seq <= head.last) {
      throw StoreCorrupt("seq " + std::to_string(message.seq) + " of conversation " + std::to_string(message.conv_id) +
                         " comes behind " + std::to_string(head.last));
    }
    head.last = message.seq;
    head.time = std::max(head.time, message.server_time);
    senders[{message.conv_id, message.sender}] = message.seq;
    months.try_emplace(month_of(message.server_time), message.server_time);
    if (message.ttl_s > 0) {
      plan->void_conv.add(message.conv_id);
      plan->void_seq.add(message.seq);
      plan->void_at.add(message.server_time + message.ttl_s * 1000);
    }
  }
  plan->conversations = static_cast<std::int64_t>(heads.size());
  for (const auto& [conv_id, head] : heads) {
    plan->head_conv.add(conv_id);
    plan->head_first.add(head.first);
    plan->head_last.add(head.last);
    plan->head_time.add(head.time);
    touched->conversations.insert(conv_id);
    touched->notices.add(conv_id);
  }
  for (const auto& [key, seq] : senders) {
    plan->sender_conv.add(key.first);
    plan->sender_user.add(key.second);
    plan->sender_seq.add(seq);
  }
  for (const auto& [month, time] : months) plan->months.insert(time);
}

// A group of a hundred acknowledges each message a hundred times: the table is hashed, and only what is left is sorted.
void gather_cursors(const Batch& batch, BatchPlan* plan, Touched* touched) {
  std::unordered_map<CursorKey, CursorValue, CursorHash> cursors;
  for (const auto& update : batch.cursors) {
    if (!valid_device_name(update.device) || !valid_user_name(update.user)) continue;
    auto& value = cursors[{update.conv_id, update.user, update.device}];
    value.delivered = std::max({value.delivered, update.delivered, update.read});
    value.rev = std::max(value.rev, update.rev);
    value.read = std::max(value.read, update.read);
    value.at = std::max(value.at, update.at);
  }
  std::vector<std::pair<CursorKey, CursorValue>> sorted(cursors.begin(), cursors.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.user, a.first.device, a.first.conv_id) <
           std::tie(b.first.user, b.first.device, b.first.conv_id);
  });
  std::map<std::pair<ConvId, std::string_view>, Reach> reached;
  for (const auto& [key, value] : sorted) {
    auto& reach = reached[{key.conv_id, key.user}];
    reach.delivered = std::max(reach.delivered, value.delivered);
    reach.read = std::max(reach.read, value.read);
    reach.at = std::max(reach.at, value.at);
    plan->cursor_conv.add(key.conv_id);
    plan->cursor_user.add(key.user);
    plan->cursor_device.add(key.device);
    plan->cursor_delivered.add(value.delivered);
    plan->cursor_rev.add(value.rev);
    plan->cursor_at.add(value.at);
  }
  for (const auto& [key, reach] : reached) {
    plan->reach_conv.add(key.first);
    plan->reach_user.add(key.second);
    plan->reach_delivered.add(reach.delivered);
    plan->reach_read.add(reach.read);
    plan->reach_at.add(reach.at);
    if (reach.read == 0) continue;
    plan->read_conv.add(key.first);
    plan->read_user.add(key.second);
    plan->read_seq.add(reach.read);
    plan->read_at.add(reach.at);
    if (!touched->conversations.contains(key.first)) touched->notices.add(key.first, key.second);
  }
}

void gather_commands(const Batch& batch, BatchPlan* plan) {
  for (const auto& command : batch.commands) {
    plan->command_position.add(static_cast<std::int64_t>(command.position));
    plan->command_conv.add(command.conv_id);
    plan->command_operation.add(command.operation);
    plan->command_user.add(command.user);
    plan->command_device.add(command.device);
    plan->command_time.add(command.server_time);
    plan->command_payload.add(command.payload);
  }
}

}  // namespace

BatchPlan::BatchPlan(const Batch& batch) {
  if (batch.to < batch.from) throw StoreCorrupt("the batch ends before it begins");
  Touched touched;
  gather_messages(batch, this, &touched);
  gather_cursors(batch, this, &touched);
  gather_commands(batch, this);
  for (const auto& notice : touched.notices.texts()) notices.add(notice);
}

}  // namespace chat
