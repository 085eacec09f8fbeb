// A stock MQTT client (libmosquitto) that records everything it receives and lets a test wait for it.
//
// Threads: one thread of its own runs the network; every method may be called from any thread, but `on_message` runs on
// the network's thread and must not wait for this client.
#pragma once

#include <mosquitto.h>
#if LIBMOSQUITTO_VERSION_NUMBER < 2001000  // from 2.1 on the first has it all
#include <mqtt_protocol.h>
#endif

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/wait.h"

namespace chat::test {

inline constexpr int kMqtt311 = 4;
inline constexpr int kMqtt5 = 5;

// The reason code by which the broker refuses what an ACL forbids.
inline constexpr int kNotAuthorised = 0x87;
inline constexpr int kQuotaExceeded = 0x97;

struct Message {
  std::string topic;
  std::string payload;
  nlohmann::json json;  // of the payload; discarded() where it isn't JSON
  int qos = 0;
  bool retain = false;
  std::string response_topic;  // MQTT 5 properties; empty where absent
  std::string correlation_data;
  std::vector<std::pair<std::string, std::string>> user_properties;
};

struct Will {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retain = false;
};

struct PublishOptions {
  int qos = 1;
  bool retain = false;
  std::string response_topic{};  // MQTT 5 only
  std::string correlation_data{};
};

struct ClientOptions {
  std::string client_id{};
  std::string user{};  // empty: connects without a name
  std::string password = "demo";
  int protocol = kMqtt5;
  bool clean_start = true;
  std::uint32_t session_expiry_s = 0;  // MQTT 5 only; with protocol 3.1.1 a session that isn't clean stays
  int keepalive_s = 60;
  int receive_maximum =
      0;  // MQTT 5: unacknowledged QoS 1/2 publishes that the broker may have under way; 0 = its default
  int max_inflight = 20;  // of our own publishes
  bool no_delay = false;  // TCP_NODELAY: what is measured must not wait for Nagle's algorithm
  std::optional<Will> will{};
  std::function<void(const Message&)> on_message{};
};

// The broker said no at CONNECT; `code` is CONNACK's.
class ConnectRefused : public std::runtime_error {
 public:
  explicit ConnectRefused(int code) : std::runtime_error("CONNACK " + std::to_string(code)), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

class MqttClient {
 public:
  // Nothing is connected yet. `port` on 127.0.0.1.
  MqttClient(int port, ClientOptions options);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  // Connects (again) and waits for CONNACK. Publishes of QoS 1 and 2 that were not acknowledged before are sent again
  // by the library, marked DUP. Throws ConnectRefused, or std::runtime_error where nobody listens.
  void connect();
  void disconnect();  // with DISCONNECT: no will
  void drop();        // without: the broker sees a lost connection
  bool connected() const;
  bool session_present() const;
  const std::string& id() const { return options_.client_id; }
  const ClientOptions& options() const { return options_; }

  // The granted QoS, or the refusing code (0x80 in MQTT 3.1.1, 0x87 "not authorised" in 5).
  int subscribe(const std::string& filter, int qos = 1);
  std::vector<int> subscribe(const std::vector<std::string>& filters, int qos = 1);  // in one packet
  void unsubscribe(const std::string& filter);

  // Waits for PUBACK or PUBCOMP (QoS 0: until it is written). Answers the reason code: 0 or 0x10 (nobody subscribes)
  // are successes; in MQTT 3.1.1 there are no others.
  int publish(const std::string& topic, const std::string& payload, const PublishOptions& options = {});
  int publish(const std::string& topic, const nlohmann::json& payload, const PublishOptions& options = {});

  // Hands over and returns. `done` is called on the network's thread with the reason code. A publish that is under way
  // when the connection is lost stays under way until connect() brings its acknowledgement.
  void publish_async(const std::string& topic, const std::string& payload, std::function<void(int)> done,
                     const PublishOptions& options = {});
  std::size_t under_way() const;

  // The first message, counted from number `from`, for which `wanted` is true; waits for it. Throws TimedOut with
  // `what` and the latest messages.
  using Wanted = std::function<bool(const Message&)>;
  Message expect(const std::string& what, const Wanted& wanted, std::size_t from = 0);
  // Waits until `count` messages came for which `wanted` is true and answers them.
  std::vector<Message> expect_many(const std::string& what, std::size_t count, const Wanted& wanted);

  std::vector<Message> received() const;
  std::vector<Message> received(const Wanted& wanted) const;
  std::size_t received_count() const;
  void forget();  // what was received so far

 private:
  struct Callbacks;
  friend struct Callbacks;

  void run();
  void stop();
  std::string latest() const;  // call with mutex_ held
  int wait_for_answer(int mid, const std::string& what);

  const int port_;
  const ClientOptions options_;
  std::unique_ptr<mosquitto, void (*)(mosquitto*)> handle_;
  std::thread network_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool running_ = false;
  std::optional<int> connack_;
  bool session_present_ = false;
  std::map<int, std::function<void(int)>> publishes_;
  std::map<int, std::vector<int>> answers_;  // SUBACK and UNSUBACK
  std::vector<Message> received_;
};

}  // namespace chat::test
