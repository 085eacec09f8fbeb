#include "tests/support/message_load.h"

#include <stdexcept>
#include <utility>

namespace chat::test {

MessageLoad::MessageLoad(int port, std::vector<std::string> users, std::vector<std::string> conversations,
                         OperationLog& log, LoadOptions options)
    : port_(port), users_(std::move(users)), conversations_(std::move(conversations)), log_(log), options_(options) {}

MessageLoad::~MessageLoad() {
  ending_ = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void MessageLoad::start() {
  for (std::size_t i = 0; i < users_.size(); ++i) threads_.emplace_back([this, i] { run(i); });
}

void MessageLoad::finish() {
  ending_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  const std::lock_guard lock(mutex_);
  if (!failures_.empty()) throw std::runtime_error(failures_.front());
}

void MessageLoad::run(std::size_t number) {
  DeviceOptions options;
  options.device = users_[number] + "-load";
  options.protocol = number % 2 == 0 ? kMqtt5 : kMqtt311;
  options.max_inflight = options_.max_inflight;
  options.subscribe = false;
  ChatClient client(port_, users_[number], options);
  int count = 0;
  auto last_progress = std::chrono::steady_clock::now();
  for (;;) {
    const auto before = acknowledged_.load();
    try {
      work(number, client, count);
      if (ending_ && client.mqtt().connected() && client.mqtt().under_way() == 0) {
        for (const auto& error : client.errors()) log_.add("refused", error);
        return;
      }
    } catch (const std::exception&) {
      // The broker is down, or went down in the middle: the next turn connects again.
    }
    const auto now = std::chrono::steady_clock::now();
    if (acknowledged_ != before || !ending_) last_progress = now;
    if (now - last_progress > kPatience) {
      const std::lock_guard lock(mutex_);
      failures_.push_back(std::to_string(client.mqtt().under_way()) + " publishes of " + users_[number] +
                          " were never acknowledged");
      return;
    }
    std::this_thread::sleep_for(options_.pause);
  }
}

// One turn: connects where needed, or publishes one message.
void MessageLoad::work(std::size_t number, ChatClient& client, int& count) {
  auto& mqtt = client.mqtt();
  if (!mqtt.connected()) {
    mqtt.connect();
    mqtt.subscribe(client.own("error"));
    return;
  }
  if (ending_ || mqtt.under_way() >= static_cast<std::size_t>(options_.max_inflight)) return;
  const auto& conv = conversations_[static_cast<std::size_t>(count) % conversations_.size()];
  const auto id = users_[number] + "-load-" + std::to_string(++count);
  log_.add("published", {{"id", id}, {"conv", conv}});
  mqtt.publish_async(message_topic(conv), text(id, "load " + id).dump(), [this, id, conv](int code) {
    log_.add(code < 0x80 ? "acknowledged" : "refused", {{"id", id}, {"conv", conv}, {"code", code}});
    ++acknowledged_;
  });
}

}  // namespace chat::test
