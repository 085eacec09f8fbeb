#include "bench/load/catch_up.h"

#include <cstdio>
#include <map>
#include <stdexcept>

#include "bench/load/acknowledger.h"
#include "bench/load/link.h"
#include "bench/load/poller.h"

namespace chat::load {

void run_catch_up(const CatchUpOptions& options) {
  constexpr Nanoseconds kPatience = 20 * kSecond;
  Link link({options.port, options.device, options.user, options.password});
  Acknowledger acknowledger(options.ack_topic);
  Poller poller;
  std::map<std::string, std::int64_t, std::less<>> last;
  std::uint64_t messages = 0;
  const auto began = now();
  auto heard_at = began;
  link.subscribe(options.filter);
  link.go_live();
  poller.add(link.descriptor(), 0);
  while (messages < options.messages || acknowledger.unanswered() > 0) {
    const bool all = link.flush();
    poller.wait(std::min(acknowledger.due(), now() + (all ? kSecond : kMillisecond)), [&](std::uint32_t) {
      link.read([&](const Packet& packet) {
        if (packet.type == PacketType::kPuback) acknowledger.answered();
        if (packet.type != PacketType::kPublish) return;
        if (packet.qos > 0) append_puback(packet.id, &link.out());
        std::string_view conv;
        std::int64_t seq = 0;
        if (!read_place(packet.payload, &conv, &seq)) return;
        auto place = last.find(conv);
        if (place == last.end()) place = last.emplace(conv, 0).first;
        if (seq != place->second + 1) {
          throw std::runtime_error("message " + std::to_string(seq) + " of " + place->first + " came behind " +
                                   std::to_string(place->second));
        }
        place->second = seq;
        ++messages;
        heard_at = now();
        acknowledger.got(packet.payload, &link.out());
      });
    });
    acknowledger.say_if_due(now(), &link.out());
    if (messages == options.messages) acknowledger.say_now(&link.out());
    if (now() - heard_at > kPatience) {
      throw std::runtime_error("of " + std::to_string(options.messages) + " messages " + std::to_string(messages) +
                               " came; nothing more comes");
    }
  }
  const auto took = static_cast<double>(heard_at - began) / kSecond;
  std::printf("seconds=%.3f\nmessages_per_s=%.0f\n", took, static_cast<double>(messages) / took);
}

}  // namespace chat::load
