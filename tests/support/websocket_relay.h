// Carries an MQTT client's bytes in WebSocket frames to the broker, so that a client that speaks TCP comes over a
// WebSocket.
//
// Why not Paho, which speaks WebSockets itself: its C library (seen with 1.3.12) keeps the frame that it is reading in
// one place for all connections of a process, so what was sent to one can be taken for another's, or be lost. Four
// connections in one process and messages of 5 KB show it with any broker.
#pragma once

#include <memory>

namespace chat::test {

// Threads: one of its own.
class WebsocketRelay {
 public:
  // Between ports of 127.0.0.1. Throws where it can't listen. The broker need not be there: whoever connects meanwhile
  // is cut off, and so is either end when the other one goes.
  explicit WebsocketRelay(int broker_port);
  ~WebsocketRelay();
  WebsocketRelay(const WebsocketRelay&) = delete;
  WebsocketRelay& operator=(const WebsocketRelay&) = delete;

  int port() const;    // where it listens
  int opened() const;  // WebSockets, so far

 private:
  class Relay;
  std::unique_ptr<Relay> relay_;
};

}  // namespace chat::test
