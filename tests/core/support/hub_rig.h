// The whole core on the test's own thread: real Hub, the store's in-memory twin, a journal in memory. Nothing happens
// by itself: the test lets the journal be committed, requests be answered, changes be heard and the clock go on, in
// whatever order it wants.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/core/hub.h"
#include "plugin/reader/answers.h"
#include "storage/memory/memory_store.h"
#include "tests/core/support/fakes.h"
#include "tests/core/support/memory_journal.h"

namespace chat::test {

// A connection of a device.
struct Phone {
  std::string device;
  std::string user;
  const void* handle = nullptr;

  ClientRef ref() const { return {.handle = handle, .device = device, .user = user}; }
};

// One message or event as a device received it.
struct Received {
  std::string conv;
  Seq seq = 0;
  Rev rev = 0;
  std::string payload;
};

class HubRig : public testing::Test {
 protected:
  HubRig();

  // Starts the core anew on the same journal and store, as after a crash: what is in memory is gone, so are the
  // connections.
  void restart();

  // Users alice, bob, carol, dave are there. A group of the first one's own.
  std::string group(const std::string& owner, const std::vector<std::string>& members = {});

  Phone connect(const std::string& user, const std::string& device);
  void disconnect(const Phone& phone);
  // As the broker would ask; true: granted, or left to others.
  bool subscribe(const Phone& phone, const std::string& filter, int qos = 1);
  // Connects, subscribes to chat/u/{user}/#, and lets the tap open.
  Phone online(const std::string& user, const std::string& device);
  // As the broker would: asks for access, then publishes; what is routed goes to `routed`.
  PublishVerdict publish(const Phone& phone, const std::string& topic, const std::string& payload, int qos = 1);
  // A message with an id of its own into a conversation.
  PublishVerdict send(const Phone& phone, const std::string& conv, const std::string& text);
  PublishVerdict ack(const Phone& phone, const std::string& conv, Seq seq, Rev rev = 0);

  // Takes up to `records` of the journal to the store, and says so to the core.
  void persist(std::size_t records = SIZE_MAX);
  // Answers the oldest request whose barrier is reached; false: there is none.
  bool answer_one();
  // Takes that request out, answered as of now, to be delivered by the test when it wants.
  std::optional<Notice> take_answer();
  void hear_changes();
  // Persists, answers and hears until nothing is left to do.
  void settle();
  void tick(TimeMs milliseconds);

  Position committed() const { return committed_; }

  // What a device was given on its inbox and event topics, since the last forget().
  std::vector<Received> received(const Phone& phone) const;
  std::vector<Seq> seqs(const Phone& phone, const std::string& conv) const;
  std::vector<Rev> revs(const Phone& phone, const std::string& conv) const;
  std::vector<nlohmann::json> syncs(const Phone& phone) const;
  // What went to chat/u/{user}/{leaf} for whoever is subscribed.
  std::vector<nlohmann::json> told(const std::string& user, const std::string& leaf) const;
  std::vector<std::string> error_codes(const std::string& user) const;
  void forget() { broker.published.clear(); }

  HubOptions options;
  AnswerOptions answers;
  FakeClock clock;
  FakeBroker broker;
  FakeRequests requests;
  MemoryJournal journal;
  MemoryStore store;
  std::unique_ptr<Hub> hub;
  std::vector<Published> routed;  // what the broker would give to subscribers of the topic itself

 private:
  Position committed_ = 0;
  int handles_ = 0;
  int ids_ = 0;
  std::deque<int> handle_memory_;
};

}  // namespace chat::test
