// Requests: the first line is the operation (or "envelope"), the rest what a client sent (or the whole envelope).
// Whatever it is, the user whom the plugin named gets one answer that is valid JSON, with a code where it is a refusal;
// no handler fails, or asks the store for what is out of bounds; and the same request again is answered the same.
#include <array>
#include <string>

#include "bridge/handlers/handlers.h"
#include "bridge/rpc/desk.h"
#include "bridge/rpc/strict_json.h"
#include "bridge/rpc/topics.h"
#include "tests/fuzz/canned_store.h"
#include "tests/fuzz/target.h"

#ifdef CHAT_FUZZER
// What Redis keeps for those with many conversations is not asked here, and would draw half of the bridge in.
namespace chat {
std::optional<std::vector<UnreadStanding>> ListStandings::of(const std::string& /*user*/, TimeMs /*now*/) {
  std::abort();
}
void ListStandings::listed(const std::string& /*user*/, std::size_t /*conversations*/) {
  std::abort();
}
}  // namespace chat
#endif

namespace chat::fuzz {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 14> kCodes{
    "bad_json", "bad_field",   "reserved_field", "too_large",    "not_member",   "not_found",   "not_allowed",
    "too_late", "id_conflict", "blocked",        "rate_limited", "storage_full", "unavailable", "unknown_operation"};

struct Bridge {
  CannedStore store;
  PresenceBoard board;
  Registry registry;
  Desk desk{"chat", registry};

  Bridge() {
    SessionSignals all;
    all.reset = true;
    board.hear(all, 5, {});
    board.recall({}, 5, {});
    Services services;
    services.now = [] { return TimeMs{1'700'000'000'000}; };
    services.requests = &store;
    services.presence = &store;
    services.board = &board;
    registry = all_handlers(services);
  }
};

void check_answer(const Handled& handled) {
  require(handled.answer.has_value(), "who is named gets an answer");
  const auto& answer = *handled.answer;
  require(answer.topic.starts_with("chat/u/" + handled.user + "/") && publishable(answer.topic),
          "an answer goes to the one who asked", answer.topic);
  const auto parsed = parse_strict(answer.payload);
  require(parsed.ok() && parsed.value.is_object(), "an answer is a JSON object without a name twice", answer.payload);
  require(json::accept(answer.payload), "an answer is JSON", answer.payload);
  const auto& object = parsed.value;
  require(object.contains("id"), "an answer names its request", answer.payload);
  if (answer.topic.ends_with("/error")) {
    require(!handled.code.empty(), "only refusals go to the error topic", answer.payload);
  } else {
    require(object["ok"] == handled.code.empty(), "an answer says whether it is a refusal", answer.payload);
  }
  if (handled.code.empty()) return;
  require(object["code"] == handled.code && std::find(kCodes.begin(), kCodes.end(), handled.code) != kCodes.end(),
          "a refusal has a code", answer.payload);
  const auto* reason = object["reason"].get_ptr<const std::string*>();
  require(reason != nullptr && !reason->empty() && reason->size() < 1000, "and a sentence", answer.payload);
}

}  // namespace

void requests(std::string_view bytes) {
  static Bridge bridge;
  bridge.store.forget();
  const std::string operation(take_line(&bytes));
  if (operation == "envelope") {
    const auto handled = bridge.desk.answer({"chat/rpc/ping", std::string(bytes), std::nullopt, std::nullopt});
    if (handled.answer) {
      check_answer(handled);
    } else {
      require(!handled.trouble.empty(), "where nobody is answered the log says why");
    }
    return;
  }
  const auto envelope = R"({"seal":"f00d","user":"alice","device":"phone","request":)" + std::string(bytes) + "}";
  const Incoming incoming{"chat/rpc/" + operation, envelope, std::nullopt, std::nullopt};
  const auto handled = bridge.desk.answer(incoming);
  check_answer(handled);
  require(handled.user == "alice" && handled.device == "phone", "no client's bytes speak for another", envelope);
  require(handled.trouble.empty(), "no handler fails", handled.trouble);
  const auto again = bridge.desk.answer(incoming);
  require(again.answer->payload == handled.answer->payload, "the same request is answered the same", envelope);
}

}  // namespace chat::fuzz

CHAT_FUZZ_TARGET(requests);
