#include "tests/support/mqtt_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

namespace chat::test {
namespace {

void initialise_library() {
  static const int done = mosquitto_lib_init();
  if (done != MOSQ_ERR_SUCCESS) throw std::runtime_error("libmosquitto could not be initialised");
}

void check(int result, const std::string& what) {
  if (result != MOSQ_ERR_SUCCESS) throw std::runtime_error(what + ": " + mosquitto_strerror(result));
}

class PropertyList {
 public:
  PropertyList() = default;
  ~PropertyList() { mosquitto_property_free_all(&list_); }
  PropertyList(const PropertyList&) = delete;
  PropertyList& operator=(const PropertyList&) = delete;
  mosquitto_property** add() { return &list_; }
  const mosquitto_property* get() const { return list_; }

 private:
  mosquitto_property* list_ = nullptr;
};

std::string text_property(const mosquitto_property* list, int which) {
  char* text = nullptr;
  if (mosquitto_property_read_string(list, which, &text, false) == nullptr) return {};
  const std::unique_ptr<char, void (*)(void*)> owner(text, &std::free);
  return text;
}

std::string binary_property(const mosquitto_property* list, int which) {
  void* data = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(list, which, &data, &size, false) == nullptr) return {};
  const std::unique_ptr<void, void (*)(void*)> owner(data, &std::free);
  return {static_cast<const char*>(data), size};
}

std::vector<std::pair<std::string, std::string>> user_properties(const mosquitto_property* list) {
  std::vector<std::pair<std::string, std::string>> pairs;
  char* name = nullptr;
  char* value = nullptr;
  bool skip_first = false;
  for (const auto* at = list;
       (at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, skip_first)) != nullptr;
       skip_first = true) {
    pairs.emplace_back(name, value);
    std::free(name);
    std::free(value);
  }
  return pairs;
}

Message to_message(const mosquitto_message& from, const mosquitto_property* properties) {
  Message message;
  message.topic = from.topic;
  message.payload.assign(static_cast<const char*>(from.payload), static_cast<std::size_t>(from.payloadlen));
  message.json = nlohmann::json::parse(message.payload, nullptr, false);
  message.qos = from.qos;
  message.retain = from.retain;
  message.response_topic = text_property(properties, MQTT_PROP_RESPONSE_TOPIC);
  message.correlation_data = binary_property(properties, MQTT_PROP_CORRELATION_DATA);
  message.user_properties = user_properties(properties);
  return message;
}

}  // namespace

// The library's callbacks, all on the network's thread.
struct MqttClient::Callbacks {
  static MqttClient& self(void* object) { return *static_cast<MqttClient*>(object); }

  static void connected(mosquitto*, void* object, int code, int flags, const mosquitto_property*) {
    auto& client = self(object);
    const std::lock_guard lock(client.mutex_);
    client.connack_ = code;
    client.session_present_ = (flags & 1) != 0;
    client.changed_.notify_all();
  }

  static void published(mosquitto*, void* object, int mid, int code, const mosquitto_property*) {
    auto& client = self(object);
    std::function<void(int)> done;
    {
      const std::lock_guard lock(client.mutex_);
      const auto found = client.publishes_.find(mid);
      if (found == client.publishes_.end()) return;
      done = std::move(found->second);
      client.publishes_.erase(found);
    }
    if (done) done(code);
    client.changed_.notify_all();
  }

  static void subscribed(mosquitto*, void* object, int mid, int count, const int* codes, const mosquitto_property*) {
    auto& client = self(object);
    const std::lock_guard lock(client.mutex_);
    client.answers_[mid].assign(codes, codes + count);
    client.changed_.notify_all();
  }

  static void unsubscribed(mosquitto*, void* object, int mid, const mosquitto_property*) {
    auto& client = self(object);
    const std::lock_guard lock(client.mutex_);
    client.answers_[mid] = {0};
    client.changed_.notify_all();
  }

  static void message(mosquitto*, void* object, const mosquitto_message* from, const mosquitto_property* properties) {
    auto& client = self(object);
    Message message = to_message(*from, properties);
    if (client.options_.on_message) client.options_.on_message(message);
    const std::lock_guard lock(client.mutex_);
    client.received_.push_back(std::move(message));
    client.changed_.notify_all();
  }
};

MqttClient::MqttClient(int port, ClientOptions options)
    : port_(port), options_(std::move(options)), handle_(nullptr, &mosquitto_destroy) {
  initialise_library();
  handle_.reset(mosquitto_new(options_.client_id.c_str(), options_.clean_start, this));
  if (!handle_) throw std::runtime_error("mosquitto_new refused the client id '" + options_.client_id + "'");
  check(mosquitto_int_option(handle_.get(), MOSQ_OPT_PROTOCOL_VERSION, options_.protocol), "protocol version");
  if (options_.no_delay) mosquitto_int_option(handle_.get(), MOSQ_OPT_TCP_NODELAY, 1);
  check(mosquitto_max_inflight_messages_set(handle_.get(), static_cast<unsigned>(options_.max_inflight)),
        "max inflight");
  if (!options_.user.empty()) {
    check(mosquitto_username_pw_set(handle_.get(), options_.user.c_str(), options_.password.c_str()),
          "user and password");
  }
  if (options_.will) {
    const auto& will = *options_.will;
    check(mosquitto_will_set(handle_.get(), will.topic.c_str(), static_cast<int>(will.payload.size()),
                             will.payload.data(), will.qos, will.retain),
          "will on " + will.topic);
  }
  // A thread of our own instead of mosquitto_loop_start(): that one reconnects behind the test's back.
  check(mosquitto_threaded_set(handle_.get(), true), "threaded");
  mosquitto_connect_v5_callback_set(handle_.get(), &Callbacks::connected);
  mosquitto_publish_v5_callback_set(handle_.get(), &Callbacks::published);
  mosquitto_subscribe_v5_callback_set(handle_.get(), &Callbacks::subscribed);
  mosquitto_unsubscribe_v5_callback_set(handle_.get(), &Callbacks::unsubscribed);
  mosquitto_message_v5_callback_set(handle_.get(), &Callbacks::message);
}

MqttClient::~MqttClient() {
  disconnect();
}

void MqttClient::connect() {
  stop();
  {
    const std::lock_guard lock(mutex_);
    connack_.reset();
    stopping_ = false;
    running_ = true;
  }
  PropertyList properties;
  if (options_.protocol == kMqtt5) {
    if (options_.session_expiry_s > 0) {
      mosquitto_property_add_int32(properties.add(), MQTT_PROP_SESSION_EXPIRY_INTERVAL, options_.session_expiry_s);
    }
    if (options_.receive_maximum > 0) {
      mosquitto_property_add_int16(properties.add(), MQTT_PROP_RECEIVE_MAXIMUM,
                                   static_cast<std::uint16_t>(options_.receive_maximum));
    }
  }
  check(mosquitto_connect_bind_v5(handle_.get(), "127.0.0.1", port_, options_.keepalive_s, nullptr, properties.get()),
        "connect to port " + std::to_string(port_));
  network_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [this] { return connack_.has_value() || !running_; });
  if (!connack_) throw std::runtime_error("no CONNACK for " + options_.client_id);
  if (*connack_ != 0) throw ConnectRefused(*connack_);
}

void MqttClient::run() {
  for (;;) {
    const int result = mosquitto_loop(handle_.get(), 100, 1);
    const std::lock_guard lock(mutex_);
    if (result == MOSQ_ERR_SUCCESS && !stopping_) continue;
    running_ = false;
    changed_.notify_all();
    return;
  }
}

void MqttClient::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (network_.joinable()) network_.join();
}

void MqttClient::disconnect() {
  if (connected()) {
    mosquitto_disconnect(handle_.get());
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [this] { return !running_; });
  }
  stop();
}

void MqttClient::drop() {
  const int socket = mosquitto_socket(handle_.get());
  if (socket >= 0) shutdown(socket, SHUT_RDWR);
  stop();
}

bool MqttClient::connected() const {
  const std::lock_guard lock(mutex_);
  return running_ && connack_ == 0;
}

bool MqttClient::session_present() const {
  const std::lock_guard lock(mutex_);
  return session_present_;
}

int MqttClient::subscribe(const std::string& filter, int qos) {
  return subscribe(std::vector{filter}, qos).at(0);
}

std::vector<int> MqttClient::subscribe(const std::vector<std::string>& filters, int qos) {
  std::vector<char*> list;
  for (const auto& filter : filters) list.push_back(const_cast<char*>(filter.c_str()));
  int mid = 0;
  check(mosquitto_subscribe_multiple(handle_.get(), &mid, static_cast<int>(list.size()), list.data(), qos, 0, nullptr),
        "subscribe to " + filters.at(0));
  wait_for_answer(mid, "SUBACK for " + filters.at(0));
  const std::lock_guard lock(mutex_);
  return answers_.extract(mid).mapped();
}

void MqttClient::unsubscribe(const std::string& filter) {
  int mid = 0;
  check(mosquitto_unsubscribe(handle_.get(), &mid, filter.c_str()), "unsubscribe from " + filter);
  wait_for_answer(mid, "UNSUBACK for " + filter);
  const std::lock_guard lock(mutex_);
  answers_.erase(mid);
}

int MqttClient::wait_for_answer(int mid, const std::string& what) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return answers_.count(mid) > 0 || !running_; });
  if (answers_.count(mid) == 0) throw TimedOut(options_.client_id + " got no " + what);
  return answers_[mid].empty() ? 0 : answers_[mid].front();
}

int MqttClient::publish(const std::string& topic, const std::string& payload, const PublishOptions& options) {
  // Shared with the callback: it may come after we gave up waiting.
  const auto code = std::make_shared<std::optional<int>>();
  publish_async(
      topic, payload,
      [this, code](int reason) {
        const std::lock_guard lock(mutex_);
        *code = reason;
      },
      options);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return code->has_value() || !running_; });
  if (!code->has_value()) throw TimedOut(options_.client_id + " got no acknowledgement for a publish on " + topic);
  return **code;
}

int MqttClient::publish(const std::string& topic, const nlohmann::json& payload, const PublishOptions& options) {
  return publish(topic, payload.dump(), options);
}

void MqttClient::publish_async(const std::string& topic, const std::string& payload, std::function<void(int)> done,
                               const PublishOptions& options) {
  PropertyList properties;
  if (!options.response_topic.empty()) {
    mosquitto_property_add_string(properties.add(), MQTT_PROP_RESPONSE_TOPIC, options.response_topic.c_str());
  }
  if (!options.correlation_data.empty()) {
    mosquitto_property_add_binary(properties.add(), MQTT_PROP_CORRELATION_DATA, options.correlation_data.data(),
                                  static_cast<std::uint16_t>(options.correlation_data.size()));
  }
  // Held across the call, so that the acknowledgement can't come before we know its number.
  const std::lock_guard lock(mutex_);
  int mid = 0;
  const int result = mosquitto_publish_v5(handle_.get(), &mid, topic.c_str(), static_cast<int>(payload.size()),
                                          payload.data(), options.qos, options.retain, properties.get());
  // Without a connection the library keeps a publish of QoS 1 or 2 and sends it after connect().
  if (result != MOSQ_ERR_SUCCESS && !(result == MOSQ_ERR_NO_CONN && options.qos > 0))
    check(result, "publish on " + topic);
  publishes_[mid] = std::move(done);
}

std::size_t MqttClient::under_way() const {
  const std::lock_guard lock(mutex_);
  return publishes_.size();
}

Message MqttClient::expect(const std::string& what, const Wanted& wanted, std::size_t from) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::unique_lock lock(mutex_);
  for (std::size_t at = from;;) {
    for (; at < received_.size(); ++at) {
      if (wanted(received_[at])) return received_[at];
    }
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout && at >= received_.size()) {
      throw TimedOut(options_.client_id + " waited in vain for: " + what + latest());
    }
  }
}

std::vector<Message> MqttClient::expect_many(const std::string& what, std::size_t count, const Wanted& wanted) {
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<Message> found;
  std::unique_lock lock(mutex_);
  for (std::size_t at = 0;;) {
    for (; at < received_.size() && found.size() < count; ++at) {
      if (!wanted(received_[at])) continue;
      found.push_back(received_[at]);
      deadline = std::chrono::steady_clock::now() + kPatience;  // many of them: the patience is for each
    }
    if (found.size() == count) return found;
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout && at >= received_.size()) {
      throw TimedOut(options_.client_id + " got " + std::to_string(found.size()) + " of " + std::to_string(count) +
                     " " + what + latest());
    }
  }
}

std::string MqttClient::latest() const {
  std::string text = running_ ? "" : "\n  (the connection is closed)";
  const std::size_t first = received_.size() > 8 ? received_.size() - 8 : 0;
  text += "\n  received " + std::to_string(received_.size()) + " messages, the latest:";
  for (std::size_t i = first; i < received_.size(); ++i) {
    text += "\n  " + received_[i].topic + " " + received_[i].payload.substr(0, 300);
  }
  return text;
}

std::vector<Message> MqttClient::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::vector<Message> MqttClient::received(const Wanted& wanted) const {
  const std::lock_guard lock(mutex_);
  std::vector<Message> matching;
  std::copy_if(received_.begin(), received_.end(), std::back_inserter(matching), wanted);
  return matching;
}

std::size_t MqttClient::received_count() const {
  const std::lock_guard lock(mutex_);
  return received_.size();
}

void MqttClient::forget() {
  const std::lock_guard lock(mutex_);
  received_.clear();
}

}  // namespace chat::test
