#include "plugin/core/admit.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "storage/names.h"

namespace chat {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 8> kTypeNames{"text", "image", "voice",    "video",
                                                     "file", "emoji", "location", "custom"};
constexpr std::size_t kForwardedBytesMax = 512;  // with an id of the server's, which may be longer than the first
constexpr std::size_t kAckBytesMax = 1 << 20;    // a chat/ack: kAckEntriesMax conversations with room to spare
constexpr std::size_t kSmallBytesMax = 4096;     // cursors, typing, sync, recall
constexpr std::size_t kRequestBytesMax = 65'536;

std::string shown(dom::element element) {
  return in_quotes(simdjson::minify(element));
}

// A whole number of at least `least`.
std::optional<Refusal> read_number(std::string_view name, dom::element element, std::int64_t least, std::int64_t most,
                                   std::int64_t* to) {
  std::int64_t value = 0;
  if (element.get(value) != simdjson::SUCCESS || value < least || value > most) {
    return refusal_of(Code::kBadField, "\"" + std::string(name) + "\" must be a whole number from " +
                                           std::to_string(least) + " to " + std::to_string(most) + ", not " +
                                           shown(element) + ".");
  }
  *to = value;
  return std::nullopt;
}

std::optional<Refusal> read_id(dom::element element, ClientsId* to) {
  std::string_view value;
  const bool text = element.get(value) == simdjson::SUCCESS;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (!text || value.empty() || value.size() > kMessageIdMax || std::any_of(value.begin(), value.end(), control)) {
    return refusal_of(Code::kBadField, "\"id\" must be a string of 1 to " + std::to_string(kMessageIdMax) +
                                           " bytes without control characters, not " + shown(element) + ".");
  }
  *to = ClientsId(value);
  return std::nullopt;
}

std::optional<Refusal> read_type(dom::element element, MessageType* to) {
  std::string_view value;
  if (element.get(value) == simdjson::SUCCESS) {
    const auto* const found = std::find(kTypeNames.begin(), kTypeNames.end(), value);
    if (found != kTypeNames.end()) {
      *to = static_cast<MessageType>(found - kTypeNames.begin());
      return std::nullopt;
    }
  }
  return refusal_of(
      Code::kBadField,
      "\"type\" must be one of text, image, voice, video, file, emoji, location, custom, not " + shown(element) + ".");
}

std::optional<Refusal> read_mentions(dom::element element, std::vector<std::string>* to) {
  dom::array array;
  if (element.get(array) != simdjson::SUCCESS || array.size() > kMentionsMax) {
    return refusal_of(Code::kBadField, "\"mentions\" must be an array of at most " + std::to_string(kMentionsMax) +
                                           " user names, not " + shown(element) + ".");
  }
  for (const auto entry : array) {
    std::string_view user;
    if (entry.get(user) != simdjson::SUCCESS || !valid_user_name(user)) {
      return refusal_of(Code::kBadField, "\"mentions\" holds " + shown(entry) + ", which is no user name.");
    }
    if (std::find(to->begin(), to->end(), user) == to->end()) to->emplace_back(user);
  }
  return std::nullopt;
}

// Inlined, with the other name's size known: no call for each of the dozen names that a field might have.
template <std::size_t kSize>
[[gnu::always_inline]] inline bool is(std::string_view name, const char (&other)[kSize]) {
  return name.size() == kSize - 1 && std::memcmp(name.data(), other, kSize - 1) == 0;
}

// `forwarded` as well, unless the server writes itself: see Author.
bool is_servers(std::string_view name, bool own) {
  return is(name, "conv") || is(name, "seq") || is(name, "server_time") || is(name, "from") || is(name, "mid") ||
         (!own && is(name, "forwarded"));
}

// Known fields may be given once only: of two ids nobody could say which one makes the retry safe.
std::optional<Refusal> once(std::string_view name, bool* seen) {
  if (!std::exchange(*seen, true)) return std::nullopt;
  return refusal_of(Code::kBadField, "\"" + std::string(name) + "\" is given twice.");
}

}  // namespace

class Admitter::Parser {
 public:
  // The published bytes as one JSON object. `*from` is where its brace is. The result lives until the next call.
  std::variant<dom::object, Refusal> object(std::string_view published, std::size_t bytes_max, std::size_t* from) {
    if (published.size() > bytes_max) {
      return refusal_of(Code::kTooLarge, "The payload has " + std::to_string(published.size()) + " bytes; at most " +
                                             std::to_string(bytes_max) + " are taken.");
    }
    *from = published.starts_with('{') ? 0 : published.find_first_not_of(" \t\r\n");
    if (*from == std::string_view::npos || published[*from] != '{') {
      return refusal_of(Code::kBadJson, "The payload must be one JSON object, not " + in_quotes(published) + ".");
    }
    // simdjson reads in blocks, beyond the end of its input.
    padded_.reserve(published.size() + simdjson::SIMDJSON_PADDING);
    padded_.assign(published);
    dom::element root;
    const auto error = parser_.parse(padded_.data(), padded_.size(), false).get(root);
    dom::object object;
    if (error != simdjson::SUCCESS || root.get(object) != simdjson::SUCCESS) {
      return refusal_of(Code::kBadJson, "The payload is not valid JSON (" +
                                            std::string(simdjson::error_message(error)) + "): " + in_quotes(published) +
                                            ".");
    }
    return object;
  }

 private:
  dom::parser parser_;
  std::string padded_;
};

Admitter::Admitter(std::size_t message_bytes_max)
    : parser_(std::make_unique<Parser>()), message_bytes_max_(message_bytes_max) {}
Admitter::~Admitter() = default;

Admission<AdmittedMessage> Admitter::message(std::string_view published, Author author) {
  const bool own = author == Author::kServer;
  std::size_t from = 0;
  auto parsed = parser_->object(published, message_bytes_max_ + (own ? kForwardedBytesMax : 0), &from);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  AdmittedMessage message;
  message.payload = published.substr(from);
  struct {
    bool id, type, body, reply_to, ttl, mentions;
  } seen{};
  const auto take = [&](std::string_view name, dom::element value) -> std::optional<Refusal> {
    if (is(name, "id")) {
      if (auto twice = once(name, &seen.id)) return twice;
      return read_id(value, &message.id);
    }
    if (is(name, "body")) return once(name, &seen.body);
    if (is(name, "type")) {
      if (auto twice = once(name, &seen.type)) return twice;
      return read_type(value, &message.type);
    }
    if (is(name, "reply_to")) {
      if (auto twice = once(name, &seen.reply_to)) return twice;
      return read_number(name, value, 1, INT64_MAX, &message.reply_to);
    }
    if (is(name, "ttl")) {
      if (auto twice = once(name, &seen.ttl)) return twice;
      return read_number(name, value, 1, kTtlMax, &message.ttl_s);
    }
    if (is(name, "mentions")) {
      if (auto twice = once(name, &seen.mentions)) return twice;
      return read_mentions(value, &message.mentions);
    }
    if (!is_servers(name, own)) return std::nullopt;
    return refusal_of(Code::kReservedField, "\"" + std::string(name) + "\" is set by the server only.");
  };
  std::optional<Refusal> refusal;
  for (const auto [name, value] : std::get<dom::object>(parsed)) {
    auto wrong = take(name, value);
    // The first thing wrong is told; the id, wherever it stands, lets the sender know of which message.
    if (wrong && !refusal) refusal = std::move(wrong);
  }
  if (!refusal && !seen.body) {
    refusal = refusal_of(Code::kBadField, "\"body\" is missing in " + in_quotes(published) + ".");
  }
  if (refusal) {
    refusal->id = message.id;
    return std::move(*refusal);
  }
  return message;
}

Admission<AdmittedCursor> Admitter::cursor(std::string_view published, bool read) {
  std::size_t from = 0;
  auto parsed = parser_->object(published, kSmallBytesMax, &from);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  AdmittedCursor cursor;
  bool given = false;
  for (const auto [name, value] : std::get<dom::object>(parsed)) {
    std::optional<Refusal> wrong;
    if (name == "seq") {
      wrong = read_number("seq", value, read ? 1 : 0, INT64_MAX, &cursor.delivered);
      given = true;
    } else if (name == "rev" && !read) {
      wrong = read_number("rev", value, 0, INT64_MAX, &cursor.rev);
      given = true;
    }
    if (wrong) return std::move(*wrong);
  }
  if (!given) return refusal_of(Code::kBadField, "\"seq\" is missing in " + in_quotes(published) + ".");
  if (read) cursor.read = cursor.delivered;
  return cursor;
}

Admission<std::vector<AdmittedCursor>> Admitter::ack_many(std::string_view published) {
  std::size_t from = 0;
  auto parsed = parser_->object(published, kAckBytesMax, &from);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  std::vector<AdmittedCursor> cursors;
  for (const auto [part, value] : std::get<dom::object>(parsed)) {
    const bool read = part == "read";
    if (!read && part != "delivered") continue;
    dom::object conversations;
    if (value.get(conversations) != simdjson::SUCCESS || conversations.size() > kAckEntriesMax) {
      return refusal_of(Code::kBadField, "\"" + std::string(part) + "\" must be an object of at most " +
                                             std::to_string(kAckEntriesMax) + " conversations, not " + shown(value) +
                                             ".");
    }
    for (const auto [conv, given] : conversations) {
      AdmittedCursor cursor{.conv = std::string(conv)};
      std::optional<Refusal> wrong;
      dom::object fields;
      if (read) {
        wrong = read_number(conv, given, 1, INT64_MAX, &cursor.read);
        cursor.delivered = cursor.read;
      } else if (given.get(fields) == simdjson::SUCCESS) {
        for (const auto [name, number] : fields) {
          if (!wrong && name == "seq") wrong = read_number("seq", number, 0, INT64_MAX, &cursor.delivered);
          if (!wrong && name == "rev") wrong = read_number("rev", number, 0, INT64_MAX, &cursor.rev);
        }
      } else {
        wrong =
            refusal_of(Code::kBadField, in_quotes(conv) + " must be {\"seq\":n,\"rev\":m}, not " + shown(given) + ".");
      }
      if (wrong) return std::move(*wrong);
      if (!valid_conversation_name(conv)) {
        return refusal_of(Code::kBadField, in_quotes(conv) + " is no conversation's name.");
      }
      cursors.push_back(std::move(cursor));
    }
  }
  return cursors;
}

Admission<AdmittedCommand> Admitter::command(std::string_view operation, std::string_view published) {
  const bool with_body = operation == "edit";
  std::size_t from = 0;
  auto parsed = parser_->object(published, with_body ? message_bytes_max_ : kSmallBytesMax, &from);
  if (auto* broken = std::get_if<Refusal>(&parsed)) return std::move(*broken);
  AdmittedCommand command;
  command.payload = published.substr(from);
  struct {
    bool seq, id, body, emoji, on;
  } seen{};
  const auto take = [&](std::string_view name, dom::element value) -> std::optional<Refusal> {
    if (is(name, "seq")) {
      if (auto twice = once(name, &seen.seq)) return twice;
      return read_number(name, value, 1, INT64_MAX, &command.seq);
    }
    if (is(name, "id")) {
      if (auto twice = once(name, &seen.id)) return twice;
      return read_id(value, &command.id);
    }
    if (is(name, "body")) return once(name, &seen.body);
    if (is(name, "emoji")) {
      if (auto twice = once(name, &seen.emoji)) return twice;
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS && !text.empty() && text.size() <= kMessageIdMax) return std::nullopt;
      return refusal_of(Code::kBadField, "\"emoji\" must be a string of 1 to " + std::to_string(kMessageIdMax) +
                                             " bytes, not " + shown(value) + ".");
    }
    if (is(name, "on")) {
      if (auto twice = once(name, &seen.on)) return twice;
      if (value.is_bool()) return std::nullopt;
      return refusal_of(Code::kBadField, "\"on\" must be true or false, not " + shown(value) + ".");
    }
    return std::nullopt;
  };
  std::optional<Refusal> refusal;
  for (const auto [name, value] : std::get<dom::object>(parsed)) {
    auto wrong = take(name, value);
    if (wrong && !refusal) refusal = std::move(wrong);
  }
  const auto* missing = command.seq == 0                      ? "seq"
                        : operation == "edit" && !seen.body   ? "body"
                        : operation == "react" && !seen.emoji ? "emoji"
                                                              : nullptr;
  if (!refusal && missing != nullptr) {
    refusal =
        refusal_of(Code::kBadField, "\"" + std::string(missing) + "\" is missing in " + in_quotes(published) + ".");
  }
  if (refusal) {
    refusal->id = command.id;
    return std::move(*refusal);
  }
  return command;
}

Admission<AdmittedTyping> Admitter::typing(std::string_view published) {
  std::size_t from = 0;
  auto parsed = parser_->object(published, kSmallBytesMax, &from);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  for (const auto [name, value] : std::get<dom::object>(parsed)) {
    if (name != "on") continue;
    bool on = false;
    if (value.get(on) == simdjson::SUCCESS) return AdmittedTyping{on};
    return refusal_of(Code::kBadField, "\"on\" must be true or false, not " + shown(value) + ".");
  }
  return refusal_of(Code::kBadField, "\"on\" is missing in " + in_quotes(published) + ".");
}

Admission<AdmittedRequest> Admitter::request(std::string_view published) {
  std::size_t from = 0;
  auto parsed = parser_->object(published, kRequestBytesMax, &from);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  AdmittedRequest request;
  request.payload = published.substr(from);
  for (const auto [name, value] : std::get<dom::object>(parsed)) {
    if (name == "id") {
      if (auto wrong = read_id(value, &request.id)) return std::move(*wrong);
      return request;
    }
  }
  return refusal_of(Code::kBadField, "\"id\" is missing in " + in_quotes(published) + ".");
}

}  // namespace chat
