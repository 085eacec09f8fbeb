#include "tests/support/commanding.h"

#include <stdexcept>

namespace chat::test {
namespace {

bool is_about(const Message& message, const std::string& conv, std::int64_t seq) {
  return field(message, "conv") == conv && message.json.is_object() && message.json.value("seq", 0) == seq;
}

std::string of_conversation(Database& database, const std::string& conv) {
  return "conv_id = (SELECT id FROM conversations WHERE name = " + database.quote(conv) + ")";
}

}  // namespace

std::string give_command(ChatClient& client, const std::string& conv, const std::string& operation, std::int64_t seq,
                         nlohmann::json fields) {
  auto id = client.new_id();
  fields["id"] = id;
  fields["seq"] = seq;
  const int code = client.mqtt().publish("chat/c/" + conv + "/" + operation, fields);
  if (code >= 0x80) throw std::runtime_error(operation + " in " + conv + " refused with " + std::to_string(code));
  return id;
}

Message event_about(ChatClient& client, const std::string& kind, const std::string& conv, std::int64_t seq) {
  return client.mqtt().expect(kind + " about " + std::to_string(seq), [&](const Message& message) {
    return message.topic == client.own("event") && field(message, "kind") == kind && is_about(message, conv, seq);
  });
}

std::vector<Message> events_of(const ChatClient& client, const std::string& conv) {
  return const_cast<ChatClient&>(client).mqtt().received(
      [&](const Message& message) { return message.topic == client.own("event") && field(message, "conv") == conv; });
}

std::int64_t commands_waiting(Database& database) {
  return database.number("SELECT count(*) FROM commands");
}

std::string stored_payload(Database& database, const std::string& conv, std::int64_t seq) {
  const auto rows = database.query("SELECT payload FROM messages WHERE " + of_conversation(database, conv) +
                                   " AND seq = " + std::to_string(seq));
  return rows.empty() ? std::string() : rows[0][0];
}

std::int64_t stored_events(Database& database, const std::string& kind, const std::string& conv, std::int64_t seq) {
  return database.number("SELECT count(*) FROM events WHERE " + of_conversation(database, conv) +
                         " AND payload::json->>'kind' = " + database.quote(kind) +
                         " AND (payload::json->>'seq')::bigint = " + std::to_string(seq));
}

}  // namespace chat::test
