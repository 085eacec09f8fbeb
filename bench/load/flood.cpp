#include "bench/load/flood.h"

#include <csignal>
#include <cstdio>
#include <exception>

#include "bench/load/link.h"
#include "bench/load/payload.h"
#include "bench/load/poller.h"

namespace chat::load {
namespace {

volatile std::sig_atomic_t ended = 0;

void end(int) {
  ended = 1;
}

class Flood {
 public:
  explicit Flood(const FloodOptions& options)
      : options_(options),
        maker_(options.tag, 0, static_cast<std::size_t>(options.body_bytes),
               static_cast<std::size_t>(options.body_bytes)) {}

  void run() {
    const auto began = now();
    while (ended == 0) {
      ++connections_;
      try {
        connection();
      } catch (const std::exception&) {
        if (answered_ == 0) throw;  // it never got in
      }
      pause();
    }
    const auto took = static_cast<double>(now() - began) / kSecond;
    std::printf("flood_per_s=%.0f\nerrors_per_s=%.0f\nconnections_per_s=%.1f\n", static_cast<double>(answered_) / took,
                static_cast<double>(errors_) / took, static_cast<double>(connections_) / took);
  }

 private:
  // Until it is ended by either side; throws where the broker does.
  void connection() {
    Link link({options_.port, options_.user + "-flood", options_.user, options_.password});
    link.subscribe(options_.filter);
    link.go_live();
    Poller poller;
    poller.add(link.descriptor(), 0);
    std::uint16_t packet = 0;
    int open = 0;
    while (ended == 0) {
      for (; open < options_.in_flight; ++open) {
        if (++packet == 0) ++packet;
        append_publish(packet, options_.topic, maker_.next(made_++), &link.out());
      }
      const bool all = link.flush();
      poller.wait(now() + (all ? 100 : 1) * kMillisecond, [&](std::uint32_t) {
        link.read([&](const Packet& one) {
          if (one.type == PacketType::kPuback) {
            ++answered_;
            --open;
          }
          if (one.type != PacketType::kPublish) return;
          if (one.qos > 0) append_puback(one.id, &link.out());
          if (one.topic.ends_with("/error")) ++errors_;
        });
      });
    }
  }

  void pause() const {
    const auto until = now() + options_.back_after_ms * kMillisecond;
    for (auto at = now(); ended == 0 && at < until; at = now()) Poller().wait(until, [](std::uint32_t) {});
  }

  const FloodOptions& options_;
  MessageMaker maker_;
  std::uint32_t made_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t errors_ = 0;
};

}  // namespace

void run_flood(const FloodOptions& options) {
  std::signal(SIGTERM, end);
  std::signal(SIGINT, end);
  Flood(options).run();
}

}  // namespace chat::load
