// Stands between a client and its server (a store and PostgreSQL, a device and the broker), and loses the connection,
// or freezes or delays it, at a chosen moment.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
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
  CuttingProxy(const std::string& server, const std::string& folder);
  // Between ports of 127.0.0.1: listens on `port`. The server need not be there: whoever connects meanwhile is cut off.
  CuttingProxy(int server_port, int port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& folder() const { return folder_; }

  // Once: what to do with the next message of the client's that holds `bytes`.
  void arm(std::string bytes, Action action);
  // For arm(): the statement COMMIT as a message of the protocol, and the start of one that begins with COPY.
  static std::string commit_message();

  int fired() const { return fired_; }  // how many armed actions were carried out
  void disarm();
  void thaw();

  void cut_all();  // both ends of every connection that is open now
  // From now on whatever is handed on, in either direction, is held back for so long.
  void delay(std::chrono::milliseconds by) { delay_ms_ = static_cast<int>(by.count()); }
  int connections() const { return connections_; }  // that were made so far

 private:
  void accept_clients();
  void serve(int client);
  bool forward(int from, int to, bool from_client, bool* cut_on_answer);

  const std::function<int()> reach_;  // a socket connected to the server, or -1
  const std::string folder_;
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<int> fired_{0};
  std::atomic<int> cuts_{0};
  std::atomic<int> delay_ms_{0};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::condition_variable thawed_;
  bool frozen_ = false;
  std::string armed_;
  Action action_ = Action::kCutBefore;
  std::vector<std::thread> threads_;  // the first accepts, each other one serves a client
};

}  // namespace chat::test
