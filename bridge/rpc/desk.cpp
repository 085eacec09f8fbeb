#include "bridge/rpc/desk.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include "bridge/rpc/codes.h"
#include "bridge/rpc/envelope.h"
#include "bridge/rpc/quote.h"
#include "bridge/rpc/topics.h"
#include "storage/errors.h"

namespace chat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Why the request's id is no id; empty where it is one.
std::string wrong_id(const json& request) {
  const auto found = request.find("id");
  if (found == request.end()) return "the field id is missing, and must be a string of 1 to 64 bytes";
  const auto* text = found->get_ptr<const std::string*>();
  if (text != nullptr && !text->empty() && text->size() <= kRequestIdMax) return {};
  return "the field id is " + described(*found) + ", and must be a string of 1 to 64 bytes";
}
static_assert(kRequestIdMax == 64, "the sentences above say so");

// Text from elsewhere (a driver's message, a client's words) need not be UTF-8: replaced, so that dump() never throws.
std::string text_of(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string reply_text(const json& id, const Reply& reply) {
  ordered_json object{{"id", id}, {"ok", reply.ok()}};
  if (reply.ok()) {
    // insert() keeps what is there: no handler can give its answer another id.
    object.insert(reply.fields.begin(), reply.fields.end());
  } else {
    object["code"] = reply.code;
    object["reason"] = reply.reason;
  }
  std::string text = text_of(object);
  if (reply.ok() && !reply.raw.empty()) {
    text.back() = ',';  // was the closing brace; "id" and "ok" stand in front
    text.append(reply.raw).push_back('}');
  }
  return text;
}

// What the error topic carries, for every part of mosquitto-chat alike.
std::string error_text(const std::string& topic, const json& id, const Reply& refusal) {
  return text_of({{"code", refusal.code}, {"reason", refusal.reason}, {"topic", topic}, {"id", id}});
}

}  // namespace

Desk::Desk(std::string prefix, const Registry& registry) : prefix_(std::move(prefix)), registry_(registry) {}

Handled Desk::answer(const Incoming& incoming) const {
  return handle(incoming, nullptr);
}

Handled Desk::refuse(const Incoming& incoming, const std::string& code, const std::string& reason) const {
  const Reply fixed = Reply::refusal(code, reason);
  return handle(incoming, &fixed);
}

Handled Desk::handle(const Incoming& incoming, const Reply* fixed) const {
  Handled handled;
  const auto operation = operation_of(prefix_, incoming.topic);
  if (!operation) {
    handled.trouble = "a message came on " + in_quotes(incoming.topic) + ", where no request is";
    return handled;
  }
  handled.operation = *operation;

  Envelope envelope = open_envelope(incoming.payload);
  if (envelope.user.empty()) {
    handled.trouble = envelope.error + "; is the broker's plugin loaded?";
    return handled;
  }
  handled.user = envelope.user;
  handled.device = envelope.device;

  const std::string id_error = envelope.error.empty() ? wrong_id(envelope.request) : std::string();
  const bool has_id = envelope.error.empty() && id_error.empty();
  const json id = has_id ? envelope.request["id"] : json(nullptr);

  const ReplyPlace place = reply_place(prefix_, envelope.user, envelope.device, incoming.response_topic);
  Reply reply;
  if (!place.refusal.empty()) {
    reply = Reply::refusal(code::kBadField, place.refusal);
  } else if (fixed != nullptr) {
    reply = *fixed;
  } else if (!envelope.error.empty()) {
    reply = Reply::refusal(code::kBadJson, envelope.error);
  } else if (!has_id) {
    reply = Reply::refusal(code::kBadField, id_error);
  } else {
    reply = run(
        {std::string(*operation), envelope.user, envelope.device, id.get<std::string>(), std::move(envelope.request)},
        &handled.trouble);
  }
  handled.code = reply.code;
  handled.answer =
      Outgoing{place.topic, place.refusal.empty() ? reply_text(id, reply) : error_text(incoming.topic, id, reply),
               incoming.correlation};
  return handled;
}

Reply Desk::run(const Request& request, std::string* trouble) const {
  const Handler* handler = registry_.find(request.operation);
  if (handler == nullptr) {
    return Reply::refusal(code::kUnknownOperation, "there is no operation " + in_quotes(request.operation));
  }
  try {
    Reply reply = (*handler)(request);
    if (reply.fields.is_null()) reply.fields = ordered_json::object();
    if (!reply.fields.is_object()) throw std::logic_error("its fields are no object");
    return reply;
  } catch (const StoreRefused& refused) {
    return Reply::refusal(refused.code(), refused.what());
  } catch (const StoreError& error) {
    *trouble = "the store failed in " + in_quotes(request.operation) + ": " + error.what();
    return Reply::refusal(code::kUnavailable,
                          "the store can't be used just now; send the request with the same id again");
  } catch (const std::exception& error) {
    *trouble = "the handler of " + in_quotes(request.operation) + " failed: " + error.what();
    return Reply::refusal(code::kUnavailable,
                          "the server failed to carry out " + in_quotes(request.operation) + "; its log says why");
  }
}

}  // namespace chat
