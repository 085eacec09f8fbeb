// A chat user's device: MqttClient plus the topics and payloads of topics.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/mqtt_client.h"

namespace chat::test {

struct DeviceOptions {
  std::string device{};  // the MQTT client id; empty: "<user>-phone-<a number>", new each time
  int protocol = kMqtt5;
  bool clean_start = true;
  std::uint32_t session_expiry_s = 0;
  int receive_maximum = 0;
  int max_inflight = 20;
  bool no_delay = false;
  // Publishes chat/ack behind each so many messages and events, which share a window; 0: only when the test says so.
  int acknowledge_every = 0;
  bool subscribe = true;  // connect() subscribes to chat/u/{user}/#
  // Called with each message, on the network's thread: it must not wait for this client.
  std::function<void(const Message&)> on_message{};
};

class ChatClient {
 public:
  // `port` of the broker. Nothing is connected yet.
  ChatClient(int port, std::string user, DeviceOptions options = {});

  MqttClient& mqtt() { return mqtt_; }
  const std::string& user() const { return user_; }
  const std::string& device() const { return mqtt_.id(); }
  std::string own(const std::string& channel) const { return "chat/u/" + user_ + "/" + channel; }

  // Connects, and opens the tap where the options say so (throws where the subscription is refused). Answers itself.
  ChatClient& connect();
  void open();  // SUBSCRIBE to chat/u/{user}/#

  // Sends a text message with an id made here, waits for the acknowledgement and answers the id. Throws where the
  // broker refuses with a reason code.
  std::string send(const std::string& conv, const std::string& body);
  std::string send_direct(const std::string& user, const std::string& body);
  std::string new_id();

  // The entry of chat/u/{user}/ack for that id, waited for: {"id","conv","seq","server_time","status"}.
  nlohmann::json sent(const std::string& id);
  bool has_sent(const std::string& id) const;  // without waiting

  // The inbox message with that place, waited for.
  Message message(const std::string& conv, std::int64_t seq);
  // The inbox message with that sender's id, waited for.
  Message message_with_id(const std::string& id);
  // Waits until `count` different messages of the conversation came (copies of the same seq count once).
  void expect_through(const std::string& conv, std::int64_t seq);
  // All inbox messages of a conversation so far, in order of arrival, repeated ones included.
  std::vector<Message> messages(const std::string& conv) const;
  std::vector<std::int64_t> seqs(const std::string& conv) const;

  // The first refusal with this code, waited for: {"code","reason","topic","id"}.
  nlohmann::json error(const std::string& code);
  nlohmann::json error_for(const std::string& id);
  std::vector<nlohmann::json> errors() const;

  // Waits for a `sync` notice of that state: begin, end, limited.
  nlohmann::json sync(const std::string& state, std::size_t from = 0);

  // Says that this device has everything up to here, and waits for the broker's acknowledgement.
  void acknowledge(const std::string& conv, std::int64_t seq);
  // The same for all that arrived in the inbox so far.
  void acknowledge_all();

 private:
  void arrived(const Message& message);
  nlohmann::json delivered_so_far() const;

  const std::string user_;
  const DeviceOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> highest_;  // seq of each conversation
  std::map<std::string, std::int64_t> highest_rev_;
  // With `acknowledge_every`: what came since the last acknowledgement, as chat/ack has it, and how much came in all.
  nlohmann::json unacknowledged_ = nlohmann::json::object();
  int arrived_ = 0;
  MqttClient mqtt_;  // last: its thread calls arrived()
};

// The text of a payload's field; empty where the payload is no object, or has no such text.
std::string field(const Message& message, const char* name);

// {"id","body"} as a client sends it.
nlohmann::json text(const std::string& id, const std::string& body);

std::string message_topic(const std::string& conv);
std::string direct_topic(const std::string& user);

// "dm:<a>:<b>", the users in byte order.
std::string direct_conversation(const std::string& one, const std::string& other);

// The client's own bytes of a delivered payload: from the opening brace on, without the server's fields.
std::string without_server_fields(const Message& message);

}  // namespace chat::test
