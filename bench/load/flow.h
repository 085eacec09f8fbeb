// Senders that publish to receivers for some seconds: how many publishes are acknowledged, and how long messages take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chat::load {

struct FlowOptions {
  int port = 0;
  std::string password;
  std::string tag;                     // begins this run's message ids: unlike any other run's
  std::vector<std::string> senders;    // users
  std::vector<std::string> topics;     // one a sender, or one for all
  std::vector<std::string> receivers;  // users
  std::vector<std::string> filters;    // one a receiver, or one for all
  std::string ack_topic;               // receivers acknowledge here; empty: they do not
  double seconds = 5;
  double warm_up = 0.5;     // seconds in front, not measured
  int rate = 0;             // messages a second of all senders together; 0 = as many as are acknowledged
  std::uint32_t count = 0;  // messages of all senders together, instead of `seconds`; 0 = by time
  int in_flight = 20;       // publishes of a sender that await their PUBACK
  int ahead = 400;          // messages of a sender that its slowest receiver has not got: no broker's queue overflows
  int body_bytes = 100;
  int body_most = 0;   // more than body_bytes: bodies of all lengths between the two
  int copies = 1;      // receivers that each message reaches
  std::string before;  // shell commands, run between the first message of each sender and the measured ones,
  std::string after;   // and at the end of the measured time
};

// Prints its figures as KEY=VALUE lines. Throws std::runtime_error where the run can't be trusted: a message that was
// acknowledged did not arrive, or came twice.
void run_flow(const FlowOptions& options);

}  // namespace chat::load
