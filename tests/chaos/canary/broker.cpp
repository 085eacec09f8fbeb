#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "plugin/broker/mosquitto_broker.h"
#include "storage/stamped.h"
#include "tests/chaos/canary/defects.h"

namespace chat::canary {
namespace {

constexpr int kOften = 40;  // one in so many
constexpr std::chrono::seconds kSilence{8};

class DefectiveBroker : public MosquittoBroker {
 public:
  explicit DefectiveBroker(std::string_view defect) : defect_(defect) {}

  void publish_to(const Recipient& recipient, std::string topic, Bytes bytes, int qos) override {
    const auto send = [&](std::string text) {
      MosquittoBroker::publish_to(recipient, topic, Bytes(std::move(text)), qos);
    };
    const std::string payload(*bytes);
    std::string_view conv;
    Seq seq = 0;
    if (!topic.ends_with("/inbox") || !read_stamp(payload, &conv, &seq)) return send(payload);
    const bool now = ++sent_ % kOften == 0;
    if (defect_ == "gap" && now) return;
    if (defect_ == "order") {
      auto& held = held_[recipient.device];
      if (now && !held) {
        held.emplace(payload);
        return;
      }
      send(payload);
      if (held) send(*std::exchange(held, std::nullopt));
      return;
    }
    if (defect_ == "bytes" && now) return send(payload + " ");
    if (defect_ == "recall") {
      const std::pair<std::string, Seq> place{conv, seq};
      if (payload.find("\"recalled\":true") == std::string_view::npos) {
        texts_.try_emplace(place, payload);
      } else if (const auto text = texts_.find(place); text != texts_.end()) {
        return send(text->second);
      }
    }
    if (defect_ == "pause" && !paused_ && now) {
      paused_ = true;
      std::this_thread::yield();
      const auto end = std::chrono::steady_clock::now() + kSilence;
      while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    }
    send(payload);
    if (defect_ == "twice" && now) send(payload);
  }

 private:
  const std::string defect_;
  int sent_ = 0;
  bool paused_ = false;
  std::map<std::string, std::optional<std::string>> held_;
  std::map<std::pair<std::string, Seq>, std::string> texts_;
};

}  // namespace

std::unique_ptr<Broker> defective_broker(std::string_view defect) {
  return std::make_unique<DefectiveBroker>(defect);
}

}  // namespace chat::canary
