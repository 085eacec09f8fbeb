#include "bench/load/flood.h"

#include <csignal>
#include <cstdio>

#include "bench/load/link.h"
#include "bench/load/payload.h"
#include "bench/load/poller.h"

namespace chat::load {
namespace {

volatile std::sig_atomic_t ended = 0;

void end(int) {
  ended = 1;
}

}  // namespace

void run_flood(const FloodOptions& options) {
  std::signal(SIGTERM, end);
  std::signal(SIGINT, end);
  Link link({options.port, options.user + "-flood", options.user, options.password});
  link.subscribe(options.filter);
  link.go_live();
  Poller poller;
  poller.add(link.descriptor(), 0);
  const auto body = static_cast<std::size_t>(options.body_bytes);
  MessageMaker maker(options.tag, 0, body, body);
  std::uint32_t made = 0;
  std::uint64_t answered = 0;
  std::uint64_t errors = 0;
  std::uint16_t packet = 0;
  const auto began = now();
  while (ended == 0) {
    while (made - answered < static_cast<std::uint64_t>(options.in_flight)) {
      if (++packet == 0) ++packet;
      append_publish(packet, options.topic, maker.next(made++), &link.out());
    }
    const bool all = link.flush();
    poller.wait(now() + (all ? 100 : 1) * kMillisecond, [&](std::uint32_t) {
      link.read([&](const Packet& one) {
        if (one.type == PacketType::kPuback) ++answered;
        if (one.type != PacketType::kPublish) return;
        if (one.qos > 0) append_puback(one.id, &link.out());
        if (one.topic.ends_with("/error")) ++errors;
      });
    });
  }
  const auto took = static_cast<double>(now() - began) / kSecond;
  std::printf("flood_per_s=%.0f\nerrors_per_s=%.0f\n", static_cast<double>(answered) / took,
              static_cast<double>(errors) / took);
}

}  // namespace chat::load
