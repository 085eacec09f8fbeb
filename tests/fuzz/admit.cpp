// Admit: what a client published. Whatever is accepted is JSON for another parser too, means the same there, and comes
// out stamped with the server's fields exactly once and the client's bytes unchanged behind them. What is refused has a
// code and a sentence.
#include "plugin/core/admit.h"

#include <array>
#include <string>

#include "plugin/core/refusal.h"
#include "storage/json_members.h"
#include "storage/message_event.h"
#include "storage/names.h"
#include "storage/stamped.h"
#include "tests/fuzz/strict_object.h"
#include "tests/fuzz/target.h"

namespace chat::fuzz {
namespace {

using nlohmann::json;

constexpr std::size_t kMessageBytesMax = 4096;  // so that inputs reach beyond
constexpr std::array<std::string_view, 6> kReserved{"conv", "seq", "server_time", "from", "mid", "forwarded"};

// JSON that our parser refuses all the same, as topics.md says: numbers that 64 bits don't hold, and deep nesting.
bool beyond_our_parser(std::string_view published) {
  std::size_t depth = 0;
  std::size_t digits = 0;
  for (const char c : published) {
    if (c == '[' || c == '{') ++depth;
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (depth >= 1000 || digits >= 19) return true;
  }
  return false;
}

void check_refusal(const Refusal& refusal, std::string_view published, const StrictObject& object) {
  const bool known = refusal.code == Code::kBadJson || refusal.code == Code::kBadField ||
                     refusal.code == Code::kReservedField || refusal.code == Code::kTooLarge;
  require(known, "what is refused has one of the codes for bad input", code_name(refusal.code));
  require(refusal.reason.ends_with('.') && refusal.reason.size() < 700, "a reason is one sentence", refusal.reason);
  const auto told = json::parse(refusal_json(refusal, "chat/c/g:team/msg"), nullptr, false);
  require(told.is_object() && told["code"] == code_name(refusal.code), "a refusal is told in JSON", refusal.reason);
  if (!refusal.id.empty()) require(told["id"] == refusal.id, "a refusal names the message that it is of", refusal.id);
  if (refusal.code == Code::kBadJson && published.size() <= kMessageBytesMax) {
    require(!object.valid || beyond_our_parser(published), "what is refused as bad_json is no JSON object", published);
  }
}

// The refusal is checked; whether there is none.
template <typename T>
bool admitted(const Admission<T>& admission, std::string_view published, const StrictObject& object) {
  if (const auto* refusal = std::get_if<Refusal>(&admission)) {
    check_refusal(*refusal, published, object);
    return false;
  }
  require(object.valid, "what is accepted is one JSON object for another parser too", published);
  return true;
}

void check_id(std::string_view id, const StrictObject& object) {
  if (object.count("id") != 1) return;
  require(object.value["id"] == std::string(id), "the id is the one that another parser reads", id);
  require(id.size() <= kMessageIdMax, "an id is bounded", id);
}

void check_stamped(const AdmittedMessage& message, const StrictObject& object) {
  const Uuid mid{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16};
  const auto out = stamped("g:team", 42, 1'700'000'000'000, "alice", mid, message.payload);
  const auto delivered = strict_object(out);
  require(delivered.valid, "what is delivered is one JSON object", out);
  const json& fields = delivered.value;
  require(fields["conv"] == "g:team" && fields["seq"] == 42 && fields["server_time"] == 1'700'000'000'000 &&
              fields["from"] == "alice" && fields["mid"] == "01020304-0506-7008-800a-0b0c0d0e0f10",
          "the server's fields are as the server gave them", out);
  const std::vector<std::string> front(delivered.names.begin(), delivered.names.begin() + 5);
  require(front == std::vector<std::string>{"conv", "seq", "server_time", "from", "mid"},
          "the server's fields stand in front", out);
  for (const auto& name : front) require(delivered.count(name) == 1, "no server's field stands there twice", out);
  require(std::equal(delivered.names.begin() + 5, delivered.names.end(), object.names.begin(), object.names.end()),
          "the client's fields stand behind, all of them and in their order", out);
  require(out.ends_with(message.payload.substr(1)), "the client's bytes are not changed", out);

  // What an edit makes of it later, by walking the text without parsing it.
  const auto body = json_member(message.payload, "body");
  require(body && json::parse(*body, nullptr, false) == object.value["body"], "the body is found in the text", out);
  const auto edited = edited_object(out, R"({"new":[1]})", 7);
  const auto after = strict_object(edited.value_or(""));
  require(after.valid && after.value["body"] == json({{"new", {1}}}) && after.value["from"] == "alice",
          "an edit leaves one JSON object with another body", edited.value_or(""));
}

void check_message(Admitter& admitter, std::string_view published, const StrictObject& object) {
  const auto admission = admitter.message(published);
  if (!admitted(admission, published, object)) return;
  const auto& message = std::get<AdmittedMessage>(admission);
  require(message.payload.starts_with('{') && published.ends_with(message.payload), "the payload is the client's own");
  require(published.size() <= kMessageBytesMax, "no message is larger than is allowed");
  for (const auto name : kReserved) require(object.count(name) == 0, "no client sets a server's field", published);
  require(object.count("body") == 1, "a message has one body", published);
  check_id(message.id, object);
  require(object.value.contains("id") != message.id.empty(), "an id that is given is not lost", published);
  require(object.value.value("reply_to", Seq{0}) == message.reply_to, "reply_to is what was written", published);
  require(object.value.value("ttl", std::int64_t{0}) == message.ttl_s && message.ttl_s <= kTtlMax,
          "ttl is what was written", published);
  for (const auto& user : message.mentions) {
    require(valid_user_name(user), "only users are mentioned", user);
    const auto& written = object.value["mentions"];
    require(std::find(written.begin(), written.end(), user) != written.end(), "mentions are what was written", user);
  }
  require(message.mentions.size() <= kMentionsMax, "mentions are bounded");
  check_stamped(message, object);
}

void check_cursor(Admitter& admitter, std::string_view published, bool read, const StrictObject& object) {
  const auto admission = admitter.cursor(published, read);
  if (!admitted(admission, published, object)) return;
  const auto& cursor = std::get<AdmittedCursor>(admission);
  require(cursor.delivered >= 0 && cursor.rev >= 0 && cursor.read >= 0, "a cursor is no negative number", published);
  require(object.value.value("seq", Seq{0}) == cursor.delivered, "the cursor is what was written", published);
  require(cursor.read == (read ? cursor.delivered : 0), "only read reads", published);
}

void check_ack_many(Admitter& admitter, std::string_view published, const StrictObject& object) {
  const auto admission = admitter.ack_many(published);
  if (!admitted(admission, published, object)) return;
  const auto& cursors = std::get<std::vector<AdmittedCursor>>(admission);
  for (const auto& cursor : cursors) {
    require(valid_conversation_name(cursor.conv), "only conversations are acknowledged", cursor.conv);
    require(cursor.delivered >= 0 && cursor.rev >= 0 && cursor.read >= 0, "a cursor is no negative number", published);
  }
  for (const char* part : {"delivered", "read"}) {
    if (!object.value.contains(part)) continue;
    for (const auto& [conv, value] : object.value[part].items()) {
      const auto named = [&name = conv](const AdmittedCursor& cursor) { return cursor.conv == name; };
      require(std::any_of(cursors.begin(), cursors.end(), named), "no acknowledgement is lost", conv);
    }
  }
}

void check_command(Admitter& admitter, std::string_view operation, std::string_view published,
                   const StrictObject& object) {
  const auto admission = admitter.command(operation, published);
  if (!admitted(admission, published, object)) return;
  const auto& command = std::get<AdmittedCommand>(admission);
  require(command.seq >= 1 && object.value["seq"] == command.seq, "a command names one message", published);
  require(published.ends_with(command.payload), "the payload is the client's own", published);
  check_id(command.id, object);
  if (operation == "edit") require(object.count("body") == 1, "an edit has one body", published);
  if (operation == "react") require(object.value["emoji"].is_string(), "a reaction has an emoji", published);
}

}  // namespace

void admit(std::string_view published) {
  static Admitter admitter(kMessageBytesMax);  // reused, as the broker does
  const auto object = strict_object(published);
  check_message(admitter, published, object);
  for (const bool read : {false, true}) check_cursor(admitter, published, read, object);
  check_ack_many(admitter, published, object);
  for (const auto* operation : {"recall", "edit", "react"}) check_command(admitter, operation, published, object);
  const auto typing = admitter.typing(published);
  if (admitted(typing, published, object) && object.count("on") == 1) {
    require(object.value["on"] == std::get<AdmittedTyping>(typing).on, "on is what was written", published);
  }
  const auto request = admitter.request(published);
  if (admitted(request, published, object)) check_id(std::get<AdmittedRequest>(request).id, object);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(admit);
