#include <condition_variable>
#include <mutex>
#include <utility>

#include "tests/chaos/workload/link.h"
#include "tests/support/mqtt_client.h"

namespace chat::test {
namespace {

ClientOptions client_options(const LinkOptions& options, const std::function<void(const Message&)>& on_message) {
  ClientOptions client;
  client.client_id = options.device;
  client.user = options.user;
  client.protocol = options.mqtt5 ? kMqtt5 : kMqtt311;
  client.clean_start = options.clean;
  client.session_expiry_s = options.clean ? 0 : kSessionExpiryS;
  client.on_message = on_message;
  return client;
}

class TcpLink : public Link {
 public:
  explicit TcpLink(LinkOptions options)
      : options_(std::move(options)), client_(options_.port, client_options(options_, [this](const Message& message) {
                                                options_.on_message(message.topic, message.payload);
                                              })) {}

  bool connect(bool* resumed) override {
    try {
      client_.forget();
      client_.connect();
      *resumed = client_.session_present();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  bool subscribe(const std::string& filter) override {
    try {
      return client_.subscribe(filter) <= 2;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::optional<int> publish(const std::string& topic, const std::string& payload, int qos,
                             std::chrono::milliseconds patience) override {
    const auto answer = std::make_shared<Answer>();
    try {
      client_.publish_async(topic, payload,
                            [answer](int code) {
                              {
                                const std::lock_guard lock(answer->mutex);
                                answer->code = code;
                              }
                              answer->came.notify_all();
                            },
                            {.qos = qos});
    } catch (const std::exception&) {
      return std::nullopt;
    }
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(answer->mutex);
    while (!answer->code && client_.connected() && std::chrono::steady_clock::now() < deadline)
      answer->came.wait_for(lock, std::chrono::milliseconds(50));
    if (client_.received_count() > kKeptMax) client_.forget();
    return answer->code;
  }

  bool connected() const override { return client_.connected(); }
  void drop() override { client_.drop(); }
  void disconnect() override { client_.disconnect(); }

 private:
  // Of a publish; the library may answer it long after we gave up.
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<int> code;
  };
  static constexpr std::size_t kKeptMax = 500;

  const LinkOptions options_;
  MqttClient client_;
};

}  // namespace

std::unique_ptr<Link> tcp_link(LinkOptions options) {
  return std::make_unique<TcpLink>(std::move(options));
}

}  // namespace chat::test
