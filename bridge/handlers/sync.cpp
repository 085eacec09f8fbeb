// `sync`: for a client that saw a hole. {"ranges":{conv:[[from,to],…]}} asks for messages, both ends included,
// {"cursors":{conv:{"seq"?,"rev"?}}} for the messages and events above.
#include <limits>

#include "bridge/handlers/handlers.h"
#include "bridge/handlers/limits.h"
#include "bridge/handlers/rows.h"
#include "bridge/rpc/fields.h"
#include "bridge/rpc/quote.h"
#include "storage/names.h"

namespace chat {
namespace {

constexpr auto kEnd = std::numeric_limits<std::int64_t>::max();

struct Wants {
  std::vector<SeqRange> messages;
  std::vector<RevWant> events;
};

// The field's value: an object with a bounded number of conversations.
const nlohmann::json& conversations_in(const Fields& fields, const char* name) {
  const auto& value = *fields.find(name);
  if (!value.is_object() || value.empty()) throw fields.wrong(name, "an object with a conversation's name in it");
  if (value.size() > kSyncConversationsMax) {
    throw StoreRefused("bad_field", "the field " + std::string(name) + " holds " + std::to_string(value.size()) +
                                        " conversations, and must hold at most " +
                                        std::to_string(kSyncConversationsMax));
  }
  return value;
}

std::vector<Seat> seats_of(const nlohmann::json& conversations, const Services& services, const std::string& user) {
  std::vector<std::string> names;
  for (const auto& [name, value] : conversations.items()) names.push_back(name);
  return services.requests->seats(names, user);
}

void read_ranges(const Fields& fields, const Services& services, const std::string& user, Wants* wants) {
  const auto& conversations = conversations_in(fields, "ranges");
  const auto seats = seats_of(conversations, services, user);
  auto seat = seats.begin();
  for (const auto& [conv, ranges] : conversations.items()) {
    const auto id = (seat++)->conv_id;
    if (!ranges.is_array()) throw wrong_inside("ranges", ranges, "an array of [from,to] for each conversation");
    for (const auto& range : ranges) {
      const auto low = range.is_array() && range.size() == 2 ? whole_number(range[0], 1, kEnd) : std::nullopt;
      const auto high = low ? whole_number(range[1], *low, kEnd) : std::nullopt;
      if (!high) {
        throw StoreRefused("bad_field", "the range " + in_quotes(range.dump()) + " of " + in_quotes(conv) +
                                            " is not [from,to] with 1 <= from <= to");
      }
      wants->messages.push_back({id, *low, *high});
      if (wants->messages.size() > kSyncRangesMax) {
        throw StoreRefused("bad_field",
                           "the field ranges holds more than " + std::to_string(kSyncRangesMax) + " ranges");
      }
    }
  }
}

void read_cursors(const Fields& fields, const Services& services, const std::string& user, Wants* wants) {
  const auto& conversations = conversations_in(fields, "cursors");
  const auto seats = seats_of(conversations, services, user);
  auto seat = seats.begin();
  for (const auto& [conv, cursor] : conversations.items()) {
    const auto id = (seat++)->conv_id;
    if (!cursor.is_object()) throw wrong_inside("cursors", cursor, "{\"seq\",\"rev\"} for each conversation");
    const Fields place(cursor);
    if (const auto seq = place.optional_number("seq", 0, kEnd - 1)) wants->messages.push_back({id, *seq + 1, kEnd});
    if (const auto rev = place.optional_number("rev", 0, kEnd - 1)) wants->events.push_back({id, *rev});
  }
}

}  // namespace

Handler sync(const Services& services) {
  return [services](const Request& request) {
    const Fields fields(request.fields);
    if (fields.has("ranges") == fields.has("cursors")) {
      throw fields.wrong("ranges", "there, or else cursors, and not both");
    }
    Wants wants;
    if (fields.has("ranges")) {
      read_ranges(fields, services, request.user, &wants);
    } else {
      read_cursors(fields, services, request.user, &wants);
    }
    const auto messages =
        services.requests->messages(request.user, wants.messages, false, kSyncMost, kAnswerBytes, services.now());
    const auto events = services.requests->events(request.user, wants.events, kSyncMost);
    return Reply::success({{"more", messages.more || events.more}},
                          messages_member(messages.rows) + "," + events_member(events.rows));
  };
}

}  // namespace chat
