// Many clients who do everything at once, and a model that is told of all of it.
//
// What one client does it does in order, and waits until the server has taken it. Different clients meet in the same
// conversations without waiting for each other, but for changes of membership: those wait until everything that was
// done in their conversation is in PostgreSQL, and everybody else waits until the change is through.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/chat_client.h"
#include "tests/support/crowd_model.h"
#include "tests/support/stack.h"

namespace chat::test {

// What one device was told without asking, as an app would keep it.
class Told {
 public:
  void take(const Message& message, const std::string& own_prefix);

  std::map<std::string, CrowdModel::Count> unread() const;  // only what is not 0
  std::string total() const;
  // The last receipt of each conversation and user: delivered, read.
  std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>> receipts() const;
  // The rev of the latest event of that kind about that user; 0: none came.
  std::int64_t heard(const std::string& conv, const std::string& kind, const std::string& user) const;
  std::size_t pushes() const;  // on unread and receipt

  // The device was away, and is back: receipts of the messages so far may have passed it by.
  void came_back(std::map<std::string, std::int64_t> last_seqs);
  // From behind this message of the conversation on it has been there.
  std::int64_t there_since(const std::string& conv) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, CrowdModel::Count> unread_;
  std::string total_;
  std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>> receipts_;
  std::map<std::string, std::int64_t> events_;
  std::map<std::string, std::int64_t> there_since_;
  std::size_t pushes_ = 0;
};

class Crowd {
 public:
  // `users` of two devices each, the second with MQTT 3.1.1.
  Crowd(Stack& stack, int users, int groups);
  ~Crowd();

  void run(std::chrono::seconds duration);
  // Waits until the server has applied what it was given, and what expires has expired.
  void settle();

  std::size_t done(const std::string& what) const;
  std::string summary() const;

  const CrowdModel& model() const { return model_; }
  const std::vector<std::string>& users() const { return users_; }
  // One of the user's two devices, and what it was told.
  ChatClient& device(const std::string& user, int number);
  const Told& told(const std::string& user, int number) const;

 private:
  struct Client {
    std::string user;
    int number = 0;  // of the user's devices
    Told told;
    std::unique_ptr<ChatClient> link;
    std::mt19937_64 chance;
    std::thread thread;
  };
  struct Group {
    std::string conv;
    std::string owner;
    std::string comes_and_goes;
  };

  void work(Client& client);
  void step(Client& client);
  void send(Client& client, const std::string& conv, const std::string& to);
  void read(Client& client, const std::string& conv);
  void recall(Client& client, const std::string& conv);
  void edit(Client& client, const std::string& conv);
  void react(Client& client, const std::string& conv);
  void erase(Client& client, const std::string& conv, bool all);
  void mute(Client& client, const std::string& conv);
  void change_membership(Client& client);
  // Everything that was done in the conversation before is in PostgreSQL.
  void quiet(Client& client, const std::string& conv);

  nlohmann::json ask(Client& client, const std::string& operation, nlohmann::json fields);
  void count(const std::string& what);
  int pick(Client& client, int from, int to);
  // A message of the latest thirty that `wanted` takes; 0: none.
  template <typename Wanted>
  std::int64_t recent(Client& client, const std::string& conv, Wanted wanted);
  std::shared_mutex& gate(const std::string& conv);

  Stack& stack_;
  std::vector<std::string> users_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<Client>> clients_;
  CrowdModel model_;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<std::shared_mutex>> gates_;
  std::map<std::string, std::size_t> done_;
  std::vector<std::string> failures_;
};

// How what is told and answered differs from the model, as sentences. `pushed`: what the devices were told by then;
// it may still be on its way.
std::vector<std::string> answered_wrong(Crowd& crowd);
std::vector<std::string> pushed_wrong(Crowd& crowd);

}  // namespace chat::test
