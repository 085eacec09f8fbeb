// What stands in for a broker where a stock one can't be made to misbehave.
#pragma once

#include <string>
#include <thread>
#include <utility>

#include "tests/support/ports.h"

namespace chat::test {

// A connected socket that closes itself.
class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  ~Socket();
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

// Listens on a port of its own and says nothing.
class Listener {
 public:
  Listener();

  std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_.number()); }
  // Waits for a connection. Throws where the listener was shut down meanwhile.
  Socket accept() const;
  void shut_down() const;

 private:
  const Port port_;
  const Socket socket_;
};

// Takes every connection, and refuses every subscription as "not authorised".
class RefusingBroker {
 public:
  RefusingBroker();
  ~RefusingBroker();
  RefusingBroker(const RefusingBroker&) = delete;
  RefusingBroker& operator=(const RefusingBroker&) = delete;

  std::string uri() const { return listener_.uri(); }

 private:
  void serve() const;

  const Listener listener_;
  std::thread thread_;
};

}  // namespace chat::test
