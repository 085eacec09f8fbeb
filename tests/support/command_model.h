// Users who send, recall, edit and react as fast as they are allowed, and what must come of it by a naive model.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/commanding.h"
#include "tests/support/stack.h"

namespace chat::test {

// One conversation as its only writer expects it: each operation is applied when it is given.
class CommandModel {
 public:
  explicit CommandModel(std::string user) : user_(std::move(user)) {}

  std::int64_t say(const std::string& body);  // answers the seq
  void recall(std::int64_t seq);
  void edit(std::int64_t seq, const std::string& body);
  void react(std::int64_t seq, const std::string& emoji, bool on);

  std::int64_t last() const { return static_cast<std::int64_t>(messages_.size()); }
  std::size_t events() const { return events_.size(); }
  std::size_t refusals() const { return refusals_; }  // edits and reactions that came behind a recall

  // How PostgreSQL differs, as sentences.
  std::vector<std::string> problems(Database& database, const std::string& conv) const;

 private:
  struct One {
    std::string body;
    bool edited = false;
    bool recalled = false;
    std::set<std::string> reactions{};
  };
  const std::string user_;
  std::vector<One> messages_;
  std::vector<std::string> events_;  // "kind seq what"
  std::size_t refusals_ = 0;
};

class CommandLoad {
 public:
  CommandLoad(Stack& stack, int writers);
  ~CommandLoad();

  void start();
  void finish();  // waits until all that was given is acknowledged, and each refusal was told

  std::size_t given() const { return given_; }
  std::size_t events() const;
  std::size_t refusals() const;
  std::vector<std::string> problems(Database& database) const;

 private:
  struct Writer {
    std::string user;
    std::string conv;
    std::unique_ptr<ChatClient> client;
    std::unique_ptr<CommandModel> model;
    std::mt19937_64 chance;
    std::thread thread;
  };
  void run(Writer& writer);
  void step(Writer& writer);

  std::vector<std::unique_ptr<Writer>> writers_;
  std::atomic<bool> ending_{false};
  std::atomic<std::size_t> given_{0};
};

}  // namespace chat::test
