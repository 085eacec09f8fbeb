// The core's surroundings, in the test's hand: a broker that records, hands of a clock that only the test turns,
// requests that wait until the test answers them.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/core/clock.h"
#include "plugin/core/ports.h"

namespace chat::test {

struct Published {
  std::string device;  // empty: to whoever is subscribed
  std::string topic;
  std::string payload;
  int qos = 0;
};

class FakeBroker : public Broker {
 public:
  void publish_to(const Recipient& recipient, std::string topic, Bytes payload, int qos) override {
    published.push_back({recipient.device, std::move(topic), std::string(*payload), qos});
  }
  void publish(const std::string& topic, std::string_view payload, int qos) override {
    published.push_back({{}, topic, std::string(payload), qos});
  }
  void kick(const std::string& device) override {
    kicked.push_back(device);
    if (on_kick) on_kick();
  }
  int subscriptions(const void*) override { return kept_subscriptions; }
  bool keeps_session(const void*) override { return kept_sessions; }
  void log(LogLevel level, const std::string& text) override { lines.emplace_back(level, text); }

  std::vector<Published> published;
  std::vector<std::string> kicked;
  int kept_subscriptions = 1;     // of each client
  bool kept_sessions = false;     // of all clients
  std::function<void()> on_kick;  // what the broker asks meanwhile
  std::vector<std::pair<LogLevel, std::string>> lines;
};

class FakeClock : public Clock {
 public:
  TimeMs now() const override { return wall; }
  TimeMs steady() const override { return hands; }
  void pass(TimeMs milliseconds) {
    wall += milliseconds;
    hands += milliseconds;
  }

  TimeMs wall = 1'700'000'000'000;
  TimeMs hands = 1'000'000;
};

class FakeRequests : public Requests {
 public:
  void send(Request request) override { waiting.push_back(std::move(request)); }

  void hurry() override { ++hurried; }

  std::deque<Request> waiting;
  int hurried = 0;
};

}  // namespace chat::test
