// One device of the workload: does things at random as an app would, sends again what was not acknowledged, comes back
// when it was cut off, and logs all of it. One thread does, the network's listens.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/operations.h"
#include "tests/chaos/workload/link.h"
#include "tests/chaos/workload/society.h"
#include "tests/chaos/workload/witness.h"

namespace chat::test {

struct ClientKind {
  std::string user{};
  int number = 0;  // of the user's devices
  int port = 0;
  bool websocket = false;
  bool mqtt5 = true;
  bool clean = true;

  std::string device() const { return user + "-" + std::to_string(number); }
};

class ChaosClient {
 public:
  ChaosClient(ClientKind kind, const Society& society, OperationsFile& log, Witness& witness,
              std::chrono::milliseconds pace);
  ~ChaosClient();
  ChaosClient(const ChaosClient&) = delete;
  ChaosClient& operator=(const ChaosClient&) = delete;

  void start();
  void finish();  // no new work: ends once what it has begun is acknowledged. Joins.

  // Behind finish(): a new session, in which it acknowledges what comes. Throws where the broker doesn't let it in.
  void listen();
  std::int64_t highest(const std::string& conv) const;
  std::string total() const;
  const ClientKind& kind() const { return kind_; }

 private:
  struct Publish {
    std::string what;  // the operation and its value, for the log
    std::string conv;
    std::int64_t seq = 0;
    std::string id;
    std::string topic;
    std::string payload;
    int qos = 1;
    bool give_up = false;  // where it is refused
  };
  struct Own {
    std::string conv;
    std::int64_t seq = 0;
    bool recalled = false;
  };

  void run();
  void step();
  void send(const Room& room);
  void recall_or_edit(bool recall);
  void react(const Room& room);
  void read(const Room& room, bool all = false);
  void change_visitor(const Room& room);
  void come_and_go();
  void acknowledge();
  void send_refused_again();

  bool visits(const std::string& conv) const;
  bool perform(const Publish& publish);
  bool come_back();
  void arrived(const std::string& topic, const std::string& payload);
  void message_arrived(const nlohmann::json& json, const std::string& payload);
  void nap(std::chrono::milliseconds at_most);
  int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(chance_); }
  std::string new_id();

  const ClientKind kind_;
  const std::vector<const Room*> rooms_;
  OperationsFile& log_;
  Witness& witness_;
  const std::chrono::milliseconds pace_;
  const std::string own_;  // "chat/u/{user}/"
  std::mt19937_64 chance_;
  int ids_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool ending_ = false;
  std::map<std::string, std::int64_t> highest_;
  std::map<std::string, std::pair<std::int64_t, std::set<std::int64_t>>> whole_;  // up to here; and what came beyond
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> to_acknowledge_;   // seq, rev
  int unacknowledged_ = 0;
  std::map<std::string, Publish> latest_;  // messages by id, while they may come back refused
  std::vector<std::string> refused_;
  std::vector<Own> mine_;
  std::string total_;

  Link link_;  // behind what its callback uses
  std::thread thread_;
};

}  // namespace chat::test
