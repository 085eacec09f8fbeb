// The load generator: one thread, so that it leaves the two cores to what is measured.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "bench/load/catch_up.h"
#include "bench/load/flood.h"
#include "bench/load/flow.h"

int main(int argc, char** argv) {
  CLI::App app("Loads an MQTT broker on 127.0.0.1 and prints what it did as KEY=VALUE lines.");
  app.require_subcommand(1);

  chat::load::FlowOptions flow;
  auto* flow_command = app.add_subcommand("flow", "senders publish, receivers receive, for some seconds");
  flow_command->add_option("--port", flow.port)->required();
  flow_command->add_option("--password", flow.password, "of all users")->required();
  flow_command->add_option("--tag", flow.tag, "begins the messages' ids; another one each run")->required();
  flow_command->add_option("--senders", flow.senders, "users, with commas")->delimiter(',')->required();
  flow_command->add_option("--topics", flow.topics, "one a sender, or one for all")->delimiter(',')->required();
  flow_command->add_option("--receivers", flow.receivers, "users")->delimiter(',')->required();
  flow_command->add_option("--filters", flow.filters, "one a receiver, or one for all")->delimiter(',')->required();
  flow_command->add_option("--ack-topic", flow.ack_topic, "receivers acknowledge here each 50 messages or 20 ms");
  flow_command->add_option("--seconds", flow.seconds, "measured time")->capture_default_str();
  flow_command->add_option("--warm-up", flow.warm_up, "seconds in front of it")->capture_default_str();
  flow_command->add_option("--rate", flow.rate, "messages a second of all senders; 0: as many as are acknowledged")
      ->capture_default_str();
  flow_command->add_option("--count", flow.count, "publish this many messages, in whatever time");
  flow_command->add_option("--in-flight", flow.in_flight, "unacknowledged publishes of a sender")
      ->capture_default_str();
  flow_command->add_option("--ahead", flow.ahead, "messages that a sender may be ahead of its receivers")
      ->capture_default_str();
  flow_command->add_option("--body", flow.body_bytes, "bytes of a message's body")->capture_default_str();
  flow_command->add_option("--body-most", flow.body_most, "bodies of all lengths from --body to this one");
  flow_command->add_option("--copies", flow.copies, "receivers that each message reaches")->capture_default_str();
  flow_command->add_option("--before", flow.before, "shell commands behind the first messages, in front of the rest");
  flow_command->add_option("--after", flow.after, "shell commands at the end of the measured time");

  chat::load::CatchUpOptions catch_up;
  auto* catch_up_command = app.add_subcommand("catch-up", "a device gets what it missed");
  catch_up_command->add_option("--port", catch_up.port)->required();
  catch_up_command->add_option("--password", catch_up.password)->required();
  catch_up_command->add_option("--user", catch_up.user)->required();
  catch_up_command->add_option("--device", catch_up.device)->required();
  catch_up_command->add_option("--filter", catch_up.filter)->required();
  catch_up_command->add_option("--ack-topic", catch_up.ack_topic)->required();
  catch_up_command->add_option("--messages", catch_up.messages, "how many wait")->required();

  chat::load::FloodOptions flood;
  auto* flood_command = app.add_subcommand("flood", "one client publishes as fast as it is answered, until SIGTERM");
  flood_command->add_option("--port", flood.port)->required();
  flood_command->add_option("--password", flood.password)->required();
  flood_command->add_option("--tag", flood.tag)->required();
  flood_command->add_option("--user", flood.user)->required();
  flood_command->add_option("--filter", flood.filter, "what it reads")->required();
  flood_command->add_option("--topic", flood.topic)->required();
  flood_command->add_option("--in-flight", flood.in_flight)->capture_default_str();
  flood_command->add_option("--body", flood.body_bytes)->capture_default_str();
  flood_command->add_option("--back-after", flood.back_after_ms, "milliseconds until it connects anew")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    if (flow_command->parsed()) chat::load::run_flow(flow);
    if (catch_up_command->parsed()) chat::load::run_catch_up(catch_up);
    if (flood_command->parsed()) chat::load::run_flood(flood);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chat-load: %s\n", error.what());
    return 1;
  }
}
