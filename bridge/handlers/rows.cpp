#include "bridge/handlers/rows.h"

#include "bridge/handlers/limits.h"
#include "storage/labels.h"
#include "storage/stamped.h"

namespace chat {
namespace {

using nlohmann::ordered_json;

// At most `bytes_max` bytes, cut between two characters.
std::string cut(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

ordered_json json_of(const ConversationView& view) {
  ordered_json row{{"conv", view.conv}, {"kind", label(view.kind)}};
  if (view.kind == ConversationKind::kDirect) {
    if (view.peer) row["user"] = view.peer->user;
    row["title"] = view.peer ? view.peer->name : "";
    row["avatar"] = view.peer ? view.peer->avatar : "";
  } else {
    row["title"] = view.title;
    row["avatar"] = view.avatar;
    row["announcement"] = view.announcement;
  }
  row["last_seq"] = view.last_seq;
  row["last_rev"] = view.last_rev;
  row["last_time"] = view.last_time;
  row["role"] = label(view.role);
  row["read"] = view.read;
  row["unread"] = view.unread;
  row["mentions"] = view.mentions;
  row["muted"] = view.muted;
  row["pinned"] = view.pinned_at != 0;
  row["draft"] = view.draft;
  return row;
}

ordered_json json_of(const DeviceRow& device) {
  ordered_json row{{"device", device.device}, {"first_seen", device.first_seen}, {"last_seen", device.last_seen}};
  const auto& settings = device.settings;
  row["replay"] = settings.replay ? ordered_json(label(*settings.replay)) : ordered_json(nullptr);
  row["limit"] = settings.replay_limit ? ordered_json(*settings.replay_limit) : ordered_json(nullptr);
  row["ack"] = settings.ack ? ordered_json(label(*settings.ack)) : ordered_json(nullptr);
  return row;
}

ordered_json preview_of(const StoredMessage& message) {
  ordered_json row{{"seq", message.seq},
                   {"server_time", message.server_time},
                   {"from", message.sender},
                   {"type", label(message.type)}};
  const auto payload = ordered_json::parse(message.payload, nullptr, false);
  if (!payload.is_object()) return row;
  const auto body = payload.find("body");
  if (body == payload.end()) {  // a tombstone: no client's message is without a body
    for (const char* gone : {"recalled", "expired"}) {
      if (payload.contains(gone)) row[gone] = payload[gone];
    }
    return row;
  }
  if (const auto* text = body->get_ptr<const std::string*>()) {
    row["body"] = cut(*text, kPreviewMax);
  } else if (body->dump().size() <= kPreviewMax) {
    row["body"] = *body;
  }
  return row;
}

std::string messages_member(std::span<const StoredMessage> messages) {
  std::string text = "\"messages\":[";
  for (const auto& message : messages) {
    if (text.back() != '[') text += ',';
    text += stamped(message.conv, message.seq, message.server_time, message.sender, message.mid, message.payload);
  }
  return text + "]";
}

std::string events_member(std::span<const StoredEvent> events) {
  std::string text = "\"events\":[";
  for (const auto& event : events) {
    if (text.back() != '[') text += ',';
    text += event.payload;
  }
  return text + "]";
}

}  // namespace chat
