#include "tests/support/chat_client.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "tests/support/seed.h"

namespace chat::test {
namespace {

std::string next_number() {
  static std::atomic<int> counter{0};
  return std::to_string(++counter);
}

std::string string_at(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_at(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return 0;
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

std::string field(const Message& message, const char* name) {
  return string_at(message.json, name);
}

nlohmann::json text(const std::string& id, const std::string& body) {
  return {{"id", id}, {"body", body}};
}
std::string message_topic(const std::string& conv) {
  return "chat/c/" + conv + "/msg";
}
std::string direct_topic(const std::string& user) {
  return "chat/d/" + user + "/msg";
}

std::string direct_conversation(const std::string& one, const std::string& other) {
  return "dm:" + std::min(one, other) + ":" + std::max(one, other);
}

std::string without_server_fields(const Message& message) {
  // The last of the server's fields; a client's own object can't hold it, so the first place is the right one.
  const auto mid = message.payload.find("\"mid\":\"");
  const auto end = mid == std::string::npos ? mid : message.payload.find('"', mid + 7);
  if (end == std::string::npos) throw std::runtime_error("no mid in " + message.payload);
  auto rest = message.payload.substr(end + 1);
  if (!rest.empty() && rest[0] == ',') rest.erase(0, 1);
  return "{" + rest;
}

ChatClient::ChatClient(int port, std::string user, DeviceOptions options)
    : user_(std::move(user)), options_(options), mqtt_(port, [&] {
        ClientOptions client;
        client.user = user_;
        client.client_id = options.device.empty() ? user_ + "-phone-" + next_number() : options.device;
        client.protocol = options.protocol;
        client.clean_start = options.clean_start;
        client.session_expiry_s = options.session_expiry_s;
        client.receive_maximum = options.receive_maximum;
        client.max_inflight = options.max_inflight;
        client.no_delay = options.no_delay;
        client.on_message = [this](const Message& message) { arrived(message); };
        return client;
      }()) {}

ChatClient& ChatClient::connect() {
  mqtt_.connect();
  if (options_.subscribe) open();
  return *this;
}

void ChatClient::open() {
  const int granted = mqtt_.subscribe(own("#"));
  if (granted > 2) throw std::runtime_error(own("#") + " was refused with " + std::to_string(granted));
}

std::string ChatClient::new_id() {
  return user_ + "-" + next_number();
}

std::string ChatClient::send(const std::string& conv, const std::string& body) {
  auto id = new_id();
  const int code = mqtt_.publish(message_topic(conv), text(id, body));
  if (code >= 0x80) throw std::runtime_error("message to " + conv + " refused with " + std::to_string(code));
  return id;
}

std::string ChatClient::send_direct(const std::string& user, const std::string& body) {
  auto id = new_id();
  const int code = mqtt_.publish(direct_topic(user), text(id, body));
  if (code >= 0x80) throw std::runtime_error("message to " + user + " refused with " + std::to_string(code));
  return id;
}

nlohmann::json ChatClient::sent(const std::string& id) {
  nlohmann::json entry;
  mqtt_.expect("status 'sent' of " + id, [&](const Message& message) {
    if (message.topic != own("ack") || !message.json.is_object()) return false;
    const auto acks = message.json.value("acks", nlohmann::json::array());
    for (const auto& ack : acks) {
      if (string_at(ack, "id") == id) {
        entry = ack;
        return true;
      }
    }
    return false;
  });
  return entry;
}

bool ChatClient::has_sent(const std::string& id) const {
  const auto quoted = "\"" + id + "\"";
  return !mqtt_
              .received([&](const Message& message) {
                return message.topic == own("ack") && message.payload.find(quoted) != std::string::npos;
              })
              .empty();
}

Message ChatClient::message(const std::string& conv, std::int64_t seq) {
  return mqtt_.expect("message " + std::to_string(seq) + " of " + conv, [&](const Message& message) {
    return message.topic == own("inbox") && string_at(message.json, "conv") == conv &&
           number_at(message.json, "seq") == seq;
  });
}

Message ChatClient::message_with_id(const std::string& id) {
  return mqtt_.expect("message with the id " + id, [&](const Message& message) {
    return message.topic == own("inbox") && string_at(message.json, "id") == id;
  });
}

void ChatClient::expect_through(const std::string& conv, std::int64_t seq) {
  std::set<std::int64_t> seen;
  mqtt_.expect_many("different messages of " + conv, static_cast<std::size_t>(seq), [&](const Message& message) {
    const auto place = number_at(message.json, "seq");
    return message.topic == own("inbox") && string_at(message.json, "conv") == conv && place >= 1 && place <= seq &&
           seen.insert(place).second;
  });
}

std::vector<Message> ChatClient::messages(const std::string& conv) const {
  return mqtt_.received(
      [&](const Message& message) { return message.topic == own("inbox") && string_at(message.json, "conv") == conv; });
}

std::vector<std::int64_t> ChatClient::seqs(const std::string& conv) const {
  std::vector<std::int64_t> places;
  for (const auto& message : messages(conv)) places.push_back(number_at(message.json, "seq"));
  return places;
}

nlohmann::json ChatClient::error(const std::string& code) {
  return mqtt_
      .expect("refusal " + code,
              [&](const Message& message) {
                return message.topic == own("error") && string_at(message.json, "code") == code;
              })
      .json;
}

nlohmann::json ChatClient::error_for(const std::string& id) {
  return mqtt_
      .expect(
          "refusal of " + id,
          [&](const Message& message) { return message.topic == own("error") && string_at(message.json, "id") == id; })
      .json;
}

std::vector<nlohmann::json> ChatClient::errors() const {
  std::vector<nlohmann::json> all;
  for (const auto& message : mqtt_.received([&](const Message& any) { return any.topic == own("error"); })) {
    all.push_back(message.json);
  }
  return all;
}

nlohmann::json ChatClient::sync(const std::string& state, std::size_t from) {
  return mqtt_
      .expect(
          "sync notice '" + state + "'",
          [&](const Message& message) {
            return message.topic == own("sync") && string_at(message.json, "state") == state;
          },
          from)
      .json;
}

void ChatClient::acknowledge(const std::string& conv, std::int64_t seq) {
  const int code = mqtt_.publish("chat/c/" + conv + "/delivered", nlohmann::json{{"seq", seq}});
  if (code >= 0x80) throw std::runtime_error("delivered of " + conv + " refused with " + std::to_string(code));
}

void ChatClient::acknowledge_all() {
  const auto everything = delivered_so_far();
  if (everything.at("delivered").empty()) return;
  const int code = mqtt_.publish("chat/ack", everything);
  if (code >= 0x80) throw std::runtime_error("chat/ack refused with " + std::to_string(code));
}

nlohmann::json ChatClient::delivered_so_far() const {
  const std::lock_guard lock(mutex_);
  auto delivered = nlohmann::json::object();
  for (const auto& [conv, seq] : highest_) delivered[conv]["seq"] = seq;
  for (const auto& [conv, rev] : highest_rev_) delivered[conv]["rev"] = rev;
  return {{"delivered", delivered}};
}

void ChatClient::arrived(const Message& message) {
  if (options_.on_message) options_.on_message(message);
  const bool inbox = message.topic == own("inbox");
  if (!inbox && message.topic != own("event")) return;
  const auto conv = string_at(message.json, "conv");
  if (conv.empty()) return;
  nlohmann::json due;
  {
    const std::lock_guard lock(mutex_);
    auto& highest = inbox ? highest_[conv] : highest_rev_[conv];
    highest = std::max(highest, number_at(message.json, inbox ? "seq" : "rev"));
    if (options_.acknowledge_every <= 0) return;
    unacknowledged_[conv][inbox ? "seq" : "rev"] = highest;
    if (++arrived_ % options_.acknowledge_every == 0) due = std::exchange(unacknowledged_, nlohmann::json::object());
  }
  if (!due.is_null()) mqtt_.publish_async("chat/ack", nlohmann::json{{"delivered", std::move(due)}}.dump(), nullptr);
}

}  // namespace chat::test
