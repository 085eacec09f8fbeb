// All clients together, and the pulse: a client that only asks the broker, all the time, how soon it answers.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/workload/client.h"

namespace chat::test {

struct WorkloadOptions {
  int clients = 50;
  int rooms = 30;
  int largest_room = 200;
  std::chrono::milliseconds pace{150};  // between two doings of a client, on average
};

class Workload {
 public:
  // `port`: where clients reach the broker; `proxied`: where every third one does instead. Starts nothing.
  Workload(Stack& stack, const WorkloadOptions& options, int proxied, OperationsFile& log);
  ~Workload();

  void start();
  // Ends when everything that was begun is acknowledged; then every client has a new session, and this waits until each
  // has all that its conversations hold, and the bridge has applied every command. Throws TimedOut where it doesn't
  // come.
  void settle(std::chrono::seconds patience);

  const Society& society() const { return society_; }
  const std::vector<std::unique_ptr<ChaosClient>>& clients() const { return clients_; }

 private:
  void pulse();

  Stack& stack_;
  OperationsFile& log_;
  const Society society_;
  Witness witness_;
  std::vector<std::unique_ptr<ChaosClient>> clients_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread pulse_;
};

}  // namespace chat::test
