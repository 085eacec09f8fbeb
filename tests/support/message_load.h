// Senders that publish QoS 1 messages as long as they are told, through broker crashes: each connects again when its
// connection is gone, and sends again what was not acknowledged (as MQTT libraries do, marked DUP). What they did is in
// an operation log: "published" {id, conv}, "acknowledged" {id, conv, code}, "refused" {…} for what came on the error
// topic.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/chat_client.h"
#include "tests/support/operation_log.h"

namespace chat::test {

struct LoadOptions {
  std::chrono::milliseconds pause{2};  // of each sender between two messages
  int max_inflight = 20;               // unacknowledged messages of each sender
};

class MessageLoad {
 public:
  // One sender a user, every second with MQTT 3.1.1. Each takes the conversations in turn; all users are members of
  // all.
  MessageLoad(int port, std::vector<std::string> users, std::vector<std::string> conversations, OperationLog& log,
              LoadOptions options = {});
  ~MessageLoad();

  void start();
  // Ends the sending and waits until every message that was published has been acknowledged.
  void finish();

  std::size_t acknowledged() const { return acknowledged_; }

 private:
  void run(std::size_t number);
  void work(std::size_t number, ChatClient& client, int& count);

  const int port_;
  const std::vector<std::string> users_;
  const std::vector<std::string> conversations_;
  OperationLog& log_;
  const LoadOptions options_;
  std::atomic<bool> ending_{false};
  std::atomic<std::size_t> acknowledged_{0};
  std::vector<std::thread> threads_;
  std::vector<std::string> failures_;
  std::mutex mutex_;
};

}  // namespace chat::test
