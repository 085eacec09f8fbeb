#include "tests/permissions/table.h"

#include <stdexcept>

namespace chat::test::permissions {
namespace {

using namespace std::string_view_literals;

constexpr Place place(std::string_view topic) {
  return {.topic = topic};
}

// A filter that nothing can be published to, and that grants nothing.
constexpr Place outside(std::string_view topic) {
  Place made{.topic = topic, .kind = Kind::kOutside};
  for (auto& who : made.may) who = kEveryone;
  return made;
}

constexpr Place malformed(std::string_view topic) {
  return {.topic = topic, .kind = Kind::kMalformed};
}

constexpr auto kPlaces = std::to_array<Place>({
    // One's own. Nobody but the server publishes here.
    place("chat/u/{self}/#").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/+").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/+/+").subscribe(kUsers).receive(kServed),
    place("chat/u/{self}/inbox").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/sync").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/ack").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/error").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}/unread").subscribe(kUsers).receive(kServed),
    place("chat/u/{self}/unread/total").subscribe(kUsers).receive(kServed),
    place("chat/u/{self}/reply/{device}").subscribe(kUsers).receive(kServed),
    place("chat/u/{self}/reply/another-device").subscribe(kUsers),
    place("chat/u/{self}/order/forward").subscribe(kUsers),
    place("chat/u/{self}/order/kick").subscribe(kUsers),
    place("chat/u/{self}/").subscribe(kUsers),
    place("chat/u/{self}/{long}").subscribe(kUsers),
    place("+/u/{self}/#").subscribe(kUsers).receive(kUsers),
    place("chat/u/{self}"),
    // Another user's.
    place("chat/u/{witness}/inbox"),
    place("chat/u/{witness}/event"),
    place("chat/u/{witness}/error"),
    place("chat/u/{witness}/reply/{device}"),
    place("chat/u/{witness}/order/forward"),
    place("chat/u/{witness}/order/kick"),
    place("chat/u/{witness}/#"),
    place("chat/u/{witness}/+"),
    place("chat/u/+/inbox"),
    place("chat/u/+/#"),
    place("chat/u/#"),
    place("chat/+/{witness}/inbox"),
    place("chat/+/{self}/inbox"),
    place("+/u/{witness}/inbox"),
    place("+/u/+/inbox"),
    place("chat/u/{long}/inbox"),
    place("chat/u//inbox"),
    place("chat/u/{SELF}/inbox"),
    place("chat/u/{self}\u0301/inbox"),  // a combining accent behind the name
    place("chat/u/{self}\u200d/inbox"),  // a joiner that nobody sees
    // A group that some are in.
    place("chat/c/{group}/msg")
        .publish(kMembers)
        .subscribe(kMembers)
        .receive(kMembers)
        .share(kMembers)
        .receive_shared(kMembers)
        .reaching_the_witness(),
    place("+/c/{group}/msg").subscribe(kMembers).receive(kMembers).share(kMembers).receive_shared(kMembers),
    place("chat/c/{group}/delivered").publish(kMembers).saying(R"({"seq":{seq}})"),
    place("chat/c/{group}/read").publish(kMembers).saying(R"({"seq":{seq}})"),
    place("chat/c/{group}/typing").publish(kMembers).saying(R"({"on":true})"),
    place("chat/c/{group}/react").publish(kMembers).saying(R"({"seq":{seq},"emoji":"x","on":true})"),
    place("chat/c/{group}/recall").publish(kLeaders).saying(R"({"seq":{seq}})"),  // the witness wrote it
    place("chat/c/{group}/edit").saying(R"({"seq":{seq},"body":"{token}"})"),     // so it did that
    place("chat/c/{group}/nonsense"),
    place("chat/c/{group}/msg/more"),
    place("chat/c/{group}/msg/"),
    place("chat/c/{group}/"),
    place("chat/c/{group}"),
    place("chat/c/{group}/Msg"),
    place("chat/c/{group}/msg\u0301"),
    place("chat/c/{group}/#"),
    place("chat/c/{group}/+"),
    place("chat/c/+/msg"),
    place("chat/c/#"),
    place("chat/+/{group}/msg"),
    place("chat/C/{group}/msg"),
    place("chat/c/{GROUP}/msg"),
    place("chat/c//msg"),
    place("chat//{group}/msg"),
    place("chat/c/{long}/msg"),
    // Conversations of others, and one's own with the witness.
    place("chat/c/{elsewhere}/msg"),
    place("chat/c/{elsewhere}/recall").saying(R"({"seq":{seq}})"),
    place("chat/c/{others}/msg"),
    place("chat/c/{srehto}/msg"),
    place("chat/c/{direct}/msg")
        .publish(kNotBlocked)
        .subscribe(kUsers)
        .receive(kNotBlocked)
        .share(kUsers)
        .receive_shared(kNotBlocked)
        .reaching_the_witness(),
    place("chat/c/{tcerid}/msg"),
    // Direct messages: nobody subscribes, they arrive in inboxes.
    place("chat/d/{witness}/msg").publish(kNotBlocked).reaching_the_witness(),
    place("chat/d/{witness}/read"),
    place("chat/d/{witness}"),
    place("chat/d/{self}/msg"),
    place("chat/d/nobody.of.that.name/msg"),
    place("chat/d/{long}/msg"),
    place("chat/d//msg"),
    place("chat/d/+/msg"),
    place("chat/d/#"),
    // Requests.
    place("chat/rpc/unread.get").publish(kServed).saying(R"({"id":"{id}"})"),
    place("chat/rpc/signal/sessions"),
    place("chat/rpc/a/b"),
    place("chat/rpc/"),
    place("chat/rpc"),
    place("chat/rpc/#"),
    place("chat/rpc/+"),
    place("+/rpc/#"),
    // The rest below the prefix.
    place("chat/ack").publish(kUsers).saying("{}"),
    place("chat/sync").publish(kUsers).saying("{}"),
    place("chat").subscribe(kEveryone).share(kEveryone),  // nothing is ever published there
    place("chat/"),
    place("chat//"),
    place("chat//x"),
    place("chat/nonsense"),
    place("chat/{long}"),
    place("chat/#"),
    place("chat/+"),
    place("chat/+/+"),
    place("chat/+/+/+"),
    place("chat/+/+/msg"),
    place("+/+/+/msg"),
    place("+/+/{witness}/#"),
    // A wildcard where the prefix could stand, and a name that nobody gets to read: other people's "+/status".
    place("+/nonsense").subscribe(kEveryone).share(kEveryone),
    place("+/ack").subscribe(kEveryone).share(kEveryone),
    place("+/+/unread.get").subscribe(kEveryone).share(kEveryone),
    // Nothing but wildcards: each delivery is decided on its own.
    place("#").subscribe(kEveryone).receive(kUsers).share(kEveryone).receive_shared(kUsers),
    place("+/#").subscribe(kEveryone).receive(kUsers).share(kEveryone).receive_shared(kUsers),
    place("+/+/+/#").subscribe(kEveryone).receive(kUsers).share(kEveryone).receive_shared(kUsers),
    place("+/+/+/+").subscribe(kEveryone).receive(kUsers).share(kEveryone).receive_shared(kUsers),
    place("+/+").subscribe(kEveryone).share(kEveryone),
    place("+").subscribe(kEveryone).share(kEveryone),
    // What only looks like ours.
    outside("chatter/{self}"),
    outside("Chat/c/{group}/{self}"),
    outside("CHAT/u/{self}/inbox"),
    outside("/chat/c/{group}/{self}"),
    outside("//{self}"),
    outside("chat\u0301/u/{self}/inbox"),
    outside("\uFEFFchat/u/{self}/inbox"),
    outside("\uFF43hat/u/{self}/inbox"),
    outside("ch\u200dat/u/{self}/inbox"),
    malformed("chat/c/{group}\xC0\xAFmsg"),          // an overlong slash
    malformed("chat/u/{witness}\xE0\x80\xAFinbox"),  // a longer one
    malformed("chat/u/\xED\xA0\x80/inbox"),          // half of a surrogate pair
    malformed("chat/c/{group}/msg\0"sv),             // U+0000
    malformed("chat/u/{witness}/inbox\0/{self}"sv),
    malformed("chat/c/{group}/\x01msg"),              // a control character
    malformed("chat/c/{group}/\xEF\xBF\xBFmsg"),      // U+FFFF, no character
    malformed("chat/c/{group}/\xEF\xB7\x90msg"),      // U+FDD0, none either
    malformed("chat/c/{group}/msg\xE2\x82"),          // cut off
    malformed("chat/c/{group}/msg\xF4\x90\x80\x80"),  // beyond U+10FFFF
    malformed("{slashes}"),                           // more levels than the broker takes
    malformed("").share(kEveryone).only_2_0_11(),
});

}  // namespace

std::span<const Place> places() {
  return kPlaces;
}

std::string_view name(Actor actor) {
  constexpr std::array<std::string_view, kActors.size()> kNames{
      "owner", "admin", "member", "other device", "blocked", "former", "stranger", "anonymous", "impostor"};
  return kNames[static_cast<std::size_t>(actor)];
}

std::string_view name(Operation operation) {
  constexpr std::array<std::string_view, kOperations.size()> kNames{"publish", "will",  "retain",        "subscribe",
                                                                    "receive", "share", "receive shared"};
  return kNames[static_cast<std::size_t>(operation)];
}

std::string name(Who who) {
  if (who == kNobody) return "–";
  if (who == kEveryone) return "everyone";
  if (who == kUsers) return "users";
  if (who == kServed) return "users²";
  if (who == kNotBlocked) return "not blocked";
  if (who == kMembers) return "members";
  if (who == kLeaders) return "owner, admin";
  throw std::logic_error("a set of actors without a name");
}

namespace {

// As people read it: bytes that are no characters, or none that one sees, in hexadecimal.
std::string shown(std::string_view topic) {
  std::string text;
  for (const char c : topic) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) {
      text.push_back(c);
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      text.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return text.empty() ? "(empty)" : "`" + text + "`";
}

}  // namespace

std::string markdown() {
  std::string text =
      "| topic or filter | publish | will, retain | subscribe, receive | by `$share`, receive "
      "|\n|---|---|---|---|---|\n";
  for (const auto& row : places()) {
    const auto of = [&](Operation operation) { return name(row.who(operation)); };
    const auto two = [](const std::string& one, const std::string& other) {
      return one == other ? one : std::string(one).append(", ").append(other);
    };
    for (const auto& column :
         {shown(row.topic), of(Operation::kPublish), two(of(Operation::kWill), of(Operation::kRetain)),
          two(of(Operation::kSubscribe), of(Operation::kReceive)),
          two(of(Operation::kShare), of(Operation::kReceiveShared))}) {
      text.append("| ").append(column).append(" ");
    }
    text += "|\n";
  }
  return text;
}

}  // namespace chat::test::permissions
