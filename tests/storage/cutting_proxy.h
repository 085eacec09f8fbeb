// Stands between a store and PostgreSQL, and loses the connection, or freezes it, at a chosen moment.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chat::test {

// Threads: methods on any.
class CuttingProxy {
 public:
  enum class Action {
    kCutBefore,  // closes both ends in place of handing the message on
    kCutAfter,   // hands it on, waits for the server's answer, and closes both ends in place of handing that on
    kFreeze,     // hands nothing on any more, in either direction, until thaw()
  };

  // `server` is the path of the server's socket. The proxy listens in `folder` (which it makes) as libpq expects it.
  CuttingProxy(std::string server, std::string folder);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& folder() const { return folder_; }

  // Once: what to do with the next message of the client's that holds `bytes`.
  void arm(std::string bytes, Action action);
  // For arm(): the statement COMMIT as a message of the protocol, and the start of one that begins with COPY.
  static std::string commit_message();

  int fired() const { return fired_; }  // how many armed actions were carried out
  void thaw();

 private:
  void accept_clients();
  void serve(int client);
  bool forward(int from, int to, bool from_client, bool* cut_on_answer);

  const std::string server_;
  const std::string folder_;
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<int> fired_{0};
  std::mutex mutex_;
  std::condition_variable thawed_;
  bool frozen_ = false;
  std::string armed_;
  Action action_ = Action::kCutBefore;
  std::vector<std::thread> threads_;  // the first accepts, each other one serves a client
};

}  // namespace chat::test
