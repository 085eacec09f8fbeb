// The link itself, on a stock broker, with a patience of its own: the program's would take a quarter of a minute.
#include "bridge/mqtt/broker_link.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>

#include "tests/bridge/bare_broker.h"
#include "tests/support/wait.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using test::eventually;

int connections_in(const std::string& log_path) {
  std::ifstream file(log_path);
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.find("New client connected") != std::string::npos) ++count;
  }
  return count;
}

// Whoever waited for an acknowledgement and got it has nothing to wait for: once, each pause of 15 s behind an answer
// ended the connection.
TEST(BrokerLink, StaysConnectedThroughAPauseBehindAnAnswer) {
  test::BareBroker broker;
  const auto password = broker.folder().path("bridge-password");
  std::ofstream(password) << test::kBridgePassword << "\n";
  constexpr milliseconds kPatience{3000};
  BrokerLink link({.broker = broker.uri(),
                   .client_id = "link",
                   .user = "chat-bridge",
                   .password_file = password,
                   .filter = "chat/rpc/#",
                   .answer_patience = kPatience});
  link.start([](const Incoming&) {});
  std::atomic<int> arrived{0};
  const auto publish = [&] {
    link.publish({"chat/u/alice/reply/phone", "{}", std::nullopt}, [&](bool did) { arrived += did ? 1 : 0; });
  };
  eventually("a first message", [&] {
    if (arrived == 0) publish();
    return arrived > 0;
  });
  const auto before = std::chrono::steady_clock::now();
  eventually("a pause that is longer than the patience",
             [&] { return std::chrono::steady_clock::now() - before > kPatience * 4 / 3; });
  const int last = arrived;
  publish();
  eventually("a second message", [&] { return arrived > last; });
  link.stop();
  EXPECT_EQ(connections_in(broker.folder().path("mosquitto.log")), 1);
}

}  // namespace
}  // namespace chat
