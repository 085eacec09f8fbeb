// A stock Mosquitto without the plugin, on a port of its own: whoever connects may put an envelope there.
#pragma once

#include <memory>
#include <string>

#include "tests/bridge/background.h"
#include "tests/bridge/temp_folder.h"
#include "tests/support/ports.h"

namespace chat::test {

inline constexpr char kBridgePassword[] = "the-bridges-own-secret";

class BareBroker {
 public:
  // Users chat-bridge (kBridgePassword) and tester ("demo"). `acl`: the lines of an acl_file; empty = all is allowed.
  explicit BareBroker(const std::string& acl = {});

  int port() const { return port_.number(); }
  std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port()); }
  // Starts it (again, on the same port) and waits until it takes connections.
  void start();
  void stop();  // SIGTERM
  const TempFolder& folder() const { return folder_; }

 private:
  const Port port_;
  const TempFolder folder_;
  std::unique_ptr<Background> broker_;
};

}  // namespace chat::test
