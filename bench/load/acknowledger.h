// What a chat app does with what it gets: tells the server after each 50 messages, or 20 ms behind the first of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/link.h"
#include "bench/load/payload.h"
#include "bench/load/poller.h"

namespace chat::load {

class Acknowledger {
 public:
  explicit Acknowledger(std::string topic) : topic_(std::move(topic)) {}

  // An arrived message. Acknowledges through `out` when it is time.
  void got(std::string_view payload, std::string* out) {
    std::string_view conv;
    std::int64_t seq = 0;
    if (!read_place(payload, &conv, &seq)) return;
    auto* place = find(conv);
    if (seq > place->second) place->second = seq;
    if (unsaid_++ == 0) first_at_ = now();
    if (unsaid_ >= kMessages) say(out);
  }

  // When say_if_due() should be called; INT64_MAX: there is nothing to say.
  Nanoseconds due() const { return unsaid_ > 0 ? first_at_ + kPatience : INT64_MAX; }
  void say_if_due(Nanoseconds at, std::string* out) {
    if (at >= due()) say(out);
  }
  void say_now(std::string* out) {
    if (unsaid_ > 0) say(out);
  }
  int unanswered() const { return unanswered_; }
  void answered() { --unanswered_; }

 private:
  static constexpr int kMessages = 50;
  static constexpr Nanoseconds kPatience = 20 * kMillisecond;

  std::pair<std::string, std::int64_t>* find(std::string_view conv) {
    for (auto& place : places_) {
      if (place.first == conv) return &place;
    }
    return &places_.emplace_back(conv, 0);
  }

  void say(std::string* out) {
    std::string json = R"({"delivered":{)";
    for (const auto& [conv, seq] : places_) json += "\"" + conv + "\":{\"seq\":" + std::to_string(seq) + "},";
    json.back() = '}';
    json += '}';
    if (++packet_ == 0) ++packet_;
    append_publish(packet_, topic_, json, out);
    ++unanswered_;
    unsaid_ = 0;
    places_.clear();
  }

  std::string topic_;
  std::vector<std::pair<std::string, std::int64_t>> places_;  // few: a device's conversations since the last word
  int unsaid_ = 0;
  int unanswered_ = 0;
  Nanoseconds first_at_ = 0;
  std::uint16_t packet_ = 0;
};

}  // namespace chat::load
