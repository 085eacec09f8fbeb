// A whole system of its own for a test: PostgreSQL, Redis, the broker with the plugin and the bridge, all started by
// `./dev up` in a folder under the build tree, on ports of its own, and taken down with everything it wrote when the
// test program ends, however that ends.
//
// One stack per suite where its tests don't disturb each other (see StackSuite); tests then take fresh users and
// conversations. A test that breaks services has a stack of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/ports.h"
#include "tests/support/process.h"

namespace chat::test {

struct StackOptions {
  std::map<std::string, std::string> plugin{};  // plugin_opt_*, without that prefix
  std::string broker_conf{};                    // lines added to mosquitto.conf
  bool bare = false;                            // the broker without the plugin
  int users = 50;                               // made at the start, for new_user()
  Environment environment{};                    // further variables for ./dev
  // Called with the stack's folder, which is there and empty, and with those variables.
  std::function<void(const std::string&, Environment&)> prepare{};
};

class Stack {
 public:
  explicit Stack(StackOptions options = {});
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  int port() const { return port_.number(); }
  std::string pg() const { return value("CHAT_PG"); }
  pid_t broker_pid() const;
  const std::string& folder() const { return folder_; }
  // A variable of the stack's env file, as it is now. Throws where it isn't there.
  std::string value(const std::string& name) const;
  // All of them, with what PATH needs for the built programs: the environment of a person who sourced the file.
  Environment environment() const;

  // `./dev start|stop|kill SERVICE`: broker, bridge, postgres, redis. start() returns when the service answers.
  void start(const std::string& service);
  void stop(const std::string& service);
  void kill(const std::string& service, const std::string& signal = "KILL");
  void restart(const std::string& service);
  void reload_broker();  // SIGHUP

  // Every process of PostgreSQL stops where it is, and goes on.
  void freeze_postgres();
  void thaw_postgres();

  // A user (password "demo") that no other test of this stack has.
  std::string new_user();
  std::vector<std::string> new_users(int count);
  // Names with passwords for the broker, and (where `recorded`) rows for PostgreSQL.
  void add_users(const std::vector<std::string>& names, bool recorded = true);

  // chatctl with --json; answers what it printed. Throws where it fails.
  nlohmann::json chatctl(std::vector<std::string> arguments) const;
  // A group made by chatctl; answers its name "g:…".
  std::string new_group(const std::string& owner, const std::vector<std::string>& members = {});

  std::string broker_log_tail(int lines = 60) const;

 private:
  Finished dev(const std::vector<std::string>& arguments) const;
  void start_watcher();
  void end_watcher();
  void wait_for_broker() const;

  const StackOptions options_;
  const Port port_;
  const Port websocket_port_;
  const std::string folder_;
  Environment environment_;  // for ./dev
  int watcher_ = -1;         // writing here, or this program's end, ends the watcher
  int users_made_ = 0;
  int users_given_ = 0;
  std::mutex users_mutex_;
};

}  // namespace chat::test
