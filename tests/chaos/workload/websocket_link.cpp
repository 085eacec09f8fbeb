#include <mqtt/async_client.h>

#include <utility>

#include "tests/chaos/workload/link.h"

namespace chat::test {
namespace {

constexpr std::chrono::seconds kAnswerPatience{10};

::mqtt::create_options create_options(const LinkOptions& options) {
  return ::mqtt::create_options_builder().mqtt_version(options.mqtt5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1).finalize();
}

class WebsocketLink : public Link {
 public:
  explicit WebsocketLink(LinkOptions options) : options_(std::move(options)) { make_client(); }
  ~WebsocketLink() override { disconnect(); }

  bool connect(bool* resumed) override {
    try {
      // A client that lost its connection may hold on to what it had under way; the app sends that again itself.
      if (used_) make_client();
      used_ = true;
      ::mqtt::connect_options_builder builder;
      builder.user_name(options_.user).password("demo").keep_alive_interval(std::chrono::seconds(60));
      if (options_.mqtt5) {
        builder.mqtt_version(MQTTVERSION_5).clean_start(options_.clean);
        if (!options_.clean) {
          ::mqtt::properties properties;
          properties.add({::mqtt::property::SESSION_EXPIRY_INTERVAL, kSessionExpiryS});
          builder.properties(std::move(properties));
        }
      } else {
        builder.mqtt_version(MQTTVERSION_3_1_1).clean_session(options_.clean);
      }
      const auto token = client_->connect(builder.finalize());
      if (!token->wait_for(kAnswerPatience)) return false;
      *resumed = token->get_connect_response().is_session_present();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  bool subscribe(const std::string& filter) override {
    try {
      return client_->subscribe(filter, 1)->wait_for(kAnswerPatience);
    } catch (const std::exception&) {
      return false;
    }
  }

  std::optional<int> publish(const std::string& topic, const std::string& payload, int qos,
                             std::chrono::milliseconds patience) override {
    ::mqtt::delivery_token_ptr token;
    try {
      token = client_->publish(topic, payload.data(), payload.size(), qos, false);
      const auto deadline = std::chrono::steady_clock::now() + patience;
      while (!token->wait_for(std::chrono::milliseconds(50))) {
        if (!client_->is_connected() || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      }
      return options_.mqtt5 ? static_cast<int>(token->get_reason_code()) : 0;
    } catch (const std::exception&) {
      // Paho throws where an MQTT 5 acknowledgement says no, and where the connection is gone.
      const int code = token ? static_cast<int>(token->get_reason_code()) : 0;
      return code >= 0x80 ? std::optional(code) : std::nullopt;
    }
  }

  bool connected() const override { return client_->is_connected(); }

  // Paho can't be made to forget its socket: to be gone without DISCONNECT it is thrown away.
  void drop() override { make_client(); }

  void disconnect() override {
    try {
      if (client_ && client_->is_connected()) client_->disconnect()->wait_for(kAnswerPatience);
    } catch (const std::exception&) {
      // it is gone already
    }
  }

 private:
  void make_client() {
    if (client_) client_->disable_callbacks();
    client_ = std::make_unique<::mqtt::async_client>("ws://127.0.0.1:" + std::to_string(options_.port), options_.device,
                                                     create_options(options_));
    client_->set_message_callback([this](const ::mqtt::const_message_ptr& message) {
      options_.on_message(message->get_topic(), message->get_payload_str());
    });
    used_ = false;
  }

  const LinkOptions options_;
  std::unique_ptr<::mqtt::async_client> client_;
  bool used_ = false;
};

}  // namespace

std::unique_ptr<Link> websocket_link(LinkOptions options) {
  return std::make_unique<WebsocketLink>(std::move(options));
}

}  // namespace chat::test
