#include "plugin/persister/batch_maker.h"

#include <algorithm>
#include <utility>

namespace chat {

BatchMaker::BatchMaker(const Uuid& journal, Position from, int receipt_push_members) {
  batch_.receipt_push_members = receipt_push_members;
  batch_.journal = journal;
  batch_.from = from;
  batch_.to = from;
}

void BatchMaker::add(Record record, Position position) {
  ++records_;
  if (auto* message = std::get_if<MessageRecord>(&record)) {
    bytes_ += message->message.payload.size();
    batch_.messages.push_back(std::move(message->message));
  } else if (auto* cursor = std::get_if<CursorRecord>(&record)) {
    add_cursor(std::move(cursor->cursor));
  } else if (auto* command = std::get_if<CommandRecord>(&record)) {
    bytes_ += command->command.payload.size();
    command->command.position = position;
    batch_.commands.push_back(std::move(command->command));
  }
  // Parked publishes and their resolutions concern the broker's memory only.
}

void BatchMaker::add_cursor(CursorUpdate cursor) {
  auto key = std::tuple(cursor.user, cursor.device, cursor.conv_id);
  const auto [found, fresh] = cursor_places_.try_emplace(std::move(key), batch_.cursors.size());
  if (fresh) {
    batch_.cursors.push_back(std::move(cursor));
    return;
  }
  auto& kept = batch_.cursors[found->second];
  kept.delivered = std::max(kept.delivered, cursor.delivered);
  kept.rev = std::max(kept.rev, cursor.rev);
  kept.read = std::max(kept.read, cursor.read);
  kept.at = std::max(kept.at, cursor.at);
}

Committed BatchMaker::committed() {
  Committed committed;
  committed.up_to = batch_.to;
  StringMap<Seq> highest;
  StringMap<AckJson> acks;
  for (const auto& message : batch_.messages) {
    auto& seq = highest[message.conv];
    seq = std::max(seq, message.seq);
    auto& ack = acks[message.sender];
    ack.add(message.id, message.conv, message.seq, message.server_time);
    if (ack.count() >= kAcksPerPublish) committed.acks.emplace_back(message.sender, ack.take());
  }
  for (auto& [user, ack] : acks) {
    if (ack.count() > 0) committed.acks.emplace_back(user, ack.take());
  }
  for (const auto& [conv, seq] : highest) committed.conversations.emplace_back(conv, seq);
  return committed;
}

}  // namespace chat
