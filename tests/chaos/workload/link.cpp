#include "tests/chaos/workload/link.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace chat::test {
namespace {

constexpr std::size_t kKeptMax = 500;

ClientOptions client_options(const LinkOptions& options) {
  ClientOptions client;
  client.client_id = options.device;
  client.user = options.user;
  client.protocol = options.mqtt5 ? kMqtt5 : kMqtt311;
  client.clean_start = options.clean;
  client.session_expiry_s = options.clean ? 0 : kSessionExpiryS;
  client.on_message = [&options](const Message& message) { options.on_message(message.topic, message.payload); };
  return client;
}

// Of a publish; the library may answer it long after we gave up.
struct Answer {
  std::mutex mutex;
  std::condition_variable came;
  std::optional<int> code;
};

}  // namespace

Link::Link(LinkOptions options)
    : options_(std::move(options)),
      relay_(options_.websocket ? std::make_unique<WebsocketRelay>(options_.port) : nullptr),
      client_(relay_ ? relay_->port() : options_.port, client_options(options_)) {}

bool Link::connect(bool* resumed) {
  try {
    client_.forget();
    client_.connect();
    *resumed = client_.session_present();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool Link::subscribe(const std::string& filter) {
  try {
    return client_.subscribe(filter) <= 2;
  } catch (const std::exception&) {
    return false;
  }
}

std::optional<int> Link::publish(const std::string& topic, const std::string& payload, int qos,
                                 std::chrono::milliseconds patience) {
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

}  // namespace chat::test
