// Switches Nagle's algorithm off for the MQTT library's connection.
//
// Why: an answer leaves right behind the acknowledgement of its request. Nagle holds the second small packet back until
// the first is acknowledged by TCP, which the other side delays: 40 ms for each request. Paho's C library has had a
// switch for this since 1.3.14 only, and hands out no socket; so the socket is found by whom it talks to.
#pragma once

namespace chat {

// Sets TCP_NODELAY on this process's TCP connections to `port` of any host, and answers how many there were. Never
// fails: what can't be set stays slow. Any thread.
int set_no_delay(int port);

}  // namespace chat
