#include "tests/bridge/bare_broker.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "tests/support/process.h"

namespace chat::test {
namespace {

constexpr char kMosquitto[] = "/usr/sbin/mosquitto";  // not in an ordinary user's PATH

}  // namespace

BareBroker::BareBroker(const std::string& acl) {
  const std::string passwords = folder_.path("passwords");
  run_or_throw({"mosquitto_passwd", "-c", "-b", passwords, "chat-bridge", kBridgePassword});
  run_or_throw({"mosquitto_passwd", "-b", passwords, "tester", "demo"});
  std::ofstream conf(folder_.path("mosquitto.conf"));
  conf << "listener " << port() << " 127.0.0.1\n"
       << "allow_anonymous false\n"
       << "password_file " << passwords << "\n";
  if (geteuid() == 0) conf << "user root\n";  // it would change to a user who can't read our folder
  if (!acl.empty()) {
    std::ofstream(folder_.path("acl")) << acl;
    conf << "acl_file " << folder_.path("acl") << "\n";
  }
  conf.close();
  start();
}

void BareBroker::start() {
  const std::string log = folder_.path("mosquitto.log");
  std::ofstream(log, std::ios::trunc).close();
  broker_ =
      std::make_unique<Background>(std::vector<std::string>{kMosquitto, "-c", folder_.path("mosquitto.conf")}, log);
  broker_->await_log("running");
  if (!broker_->running()) throw std::runtime_error("the broker did not start:\n" + broker_->log());
}

void BareBroker::stop() {
  broker_->signal(SIGTERM);
  broker_->wait();
}

}  // namespace chat::test
