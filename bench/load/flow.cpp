#include "bench/load/flow.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "bench/load/acknowledger.h"
#include "bench/load/link.h"
#include "bench/load/payload.h"
#include "bench/load/poller.h"

namespace chat::load {
namespace {

constexpr Nanoseconds kPatience = 20 * kSecond;  // without any message, while some are missing
// At full load the sockets are looked at this often, and nothing wakes the generator in between. To wake a process on
// the same machine costs the broker's thread as much as a publish: the more, the longer the generator slept, so the
// slower of two brokers would pay more of it. Clients on other machines cost nothing like it.
constexpr Nanoseconds kGather = 200'000;

struct Sender {
  std::unique_ptr<Link> link;
  MessageMaker maker;
  std::string topic;
  std::uint32_t made = 0;  // messages published; the next one's number is this
  std::uint32_t acked = 0;
  std::uint64_t delivered = 0;  // of all copies
  std::uint16_t packet = 0;
  std::vector<Nanoseconds> made_at;
};

struct Receiver {
  std::unique_ptr<Link> link;
  Acknowledger acknowledger;
  std::vector<std::uint32_t> next;  // of each sender: the number that comes next
};

class Flow {
 public:
  explicit Flow(const FlowOptions& options) : options_(options) {
    const auto pick = [](const std::vector<std::string>& list, std::size_t i) {
      return list.size() == 1 ? list[0] : list.at(i);
    };
    for (std::size_t i = 0; i < options_.receivers.size(); ++i) {
      const auto& user = options_.receivers[i];
      auto link = std::make_unique<Link>(Login{options_.port, user + "-in", user, options_.password});
      link->subscribe(pick(options_.filters, i));
      receivers_.push_back(
          {std::move(link), Acknowledger(options_.ack_topic), std::vector<std::uint32_t>(options_.senders.size())});
    }
    for (std::size_t i = 0; i < options_.senders.size(); ++i) {
      const auto& user = options_.senders[i];
      senders_.push_back(
          {.link = std::make_unique<Link>(Login{options_.port, user + "-out", user, options_.password}),
           .maker = MessageMaker(options_.tag, static_cast<int>(i), static_cast<std::size_t>(options_.body_bytes),
                                 static_cast<std::size_t>(options_.body_most)),
           .topic = pick(options_.topics, i),
           .made_at = {}});
    }
    std::uint32_t index = 0;
    for (auto& sender : senders_) start(*sender.link, index++);
    for (auto& receiver : receivers_) start(*receiver.link, index++);
  }

  void run() {
    // The first message of each loads its conversation.
    for (auto& sender : senders_) publish(sender, now());
    settle();
    run_command(options_.before);
    if (options_.count == 0) spend(options_.warm_up);
    const auto began = now();
    const auto acked = total_acked_;
    const auto delivered = total_delivered_;
    measuring_ = true;
    latencies_.reserve(1U << 20);
    if (options_.count > 0) {
      spend_count();
    } else {
      spend(options_.seconds);
    }
    measuring_ = false;
    const auto took = static_cast<double>(now() - began) / kSecond;
    std::printf("acked_total=%llu\n", static_cast<unsigned long long>(total_acked_));
    std::fflush(stdout);
    const auto acked_measured = total_acked_ - acked;
    const auto delivered_measured = total_delivered_ - delivered;
    run_command(options_.after);
    settle();
    report(took, acked_measured, delivered_measured);
  }

 private:
  void start(Link& link, std::uint32_t index) {
    link.go_live();
    poller_.add(link.descriptor(), index);
  }

  static void run_command(const std::string& command) {
    if (command.empty()) return;
    if (std::system(command.c_str()) != 0) throw std::runtime_error("this command failed: " + command);
  }

  bool may_publish(const Sender& sender) const {
    return sender.made - sender.acked < static_cast<std::uint32_t>(options_.in_flight) &&
           sender.made - sender.delivered / static_cast<std::uint64_t>(options_.copies) <
               static_cast<std::uint64_t>(options_.ahead);
  }

  void publish(Sender& sender, Nanoseconds at) {
    if (++sender.packet == 0) ++sender.packet;
    append_publish(sender.packet, sender.topic, sender.maker.next(sender.made++), &sender.link->out());
    sender.made_at.push_back(at);
  }

  // One turn: reads what has come, publishes what may go (with `publishing`), writes it all.
  void turn(Nanoseconds until, bool publishing) {
    for (const auto& receiver : receivers_) until = std::min(until, receiver.acknowledger.due());
    if (publishing && options_.rate > 0) until = std::min(until, next_at_);
    if (publishing && options_.rate == 0) until = gather();
    poller_.wait(until, [this](std::uint32_t index) {
      if (index < senders_.size()) {
        read_sender(senders_[index]);
      } else {
        read_receiver(receivers_[index - senders_.size()]);
      }
    });
    if (publishing && options_.rate == 0) {
      for (auto& sender : senders_) {
        const auto at = now();
        while (may_publish(sender) && (options_.count == 0 || total_made() < options_.count)) publish(sender, at);
      }
    }
    if (publishing && options_.rate > 0) publish_on_time();
    const auto at = now();
    bool all = true;
    for (auto& receiver : receivers_) {
      receiver.acknowledger.say_if_due(at, &receiver.link->out());
      all = receiver.link->flush() && all;
    }
    for (auto& sender : senders_) all = sender.link->flush() && all;
    blocked_ = !all;
  }

  // Sleeps; answers a time that has passed.
  static Nanoseconds gather() {
    const timespec nap{.tv_sec = 0, .tv_nsec = kGather};
    nanosleep(&nap, nullptr);
    return 0;
  }

  // A message is as old as the moment in which it should have gone out, whatever held it back.
  void publish_on_time() {
    for (auto at = now(); next_at_ <= at; next_at_ += kSecond / options_.rate) {
      auto& sender = senders_[turn_of_++ % senders_.size()];
      publish(sender, next_at_);
    }
  }

  void read_sender(Sender& sender) {
    sender.link->read([&](const Packet& packet) {
      if (packet.type != PacketType::kPuback) return;
      ++sender.acked;
      ++total_acked_;
    });
  }

  void read_receiver(Receiver& receiver) {
    const auto at = now();
    receiver.link->read([&](const Packet& packet) {
      if (packet.type == PacketType::kPuback) receiver.acknowledger.answered();
      if (packet.type != PacketType::kPublish) return;
      if (packet.qos > 0) append_puback(packet.id, &receiver.link->out());
      if (!options_.ack_topic.empty()) receiver.acknowledger.got(packet.payload, &receiver.link->out());
      int index = -1;
      std::uint32_t number = 0;
      if (!read_id(packet.payload, options_.tag, &index, &number)) return;
      auto& sender = senders_.at(static_cast<std::size_t>(index));
      auto& next = receiver.next[static_cast<std::size_t>(index)];
      if (number != next) {
        throw std::runtime_error("message " + std::to_string(number) + " came where " + std::to_string(next) +
                                 " was next");
      }
      ++next;
      ++sender.delivered;
      ++total_delivered_;
      if (measuring_) latencies_.push_back(at - sender.made_at[number]);
    });
  }

  void spend(double seconds) {
    next_at_ = now();
    const auto end = next_at_ + static_cast<Nanoseconds>(seconds * kSecond);
    while (now() < end) turn(blocked_ ? now() + kMillisecond : end, true);
  }

  void spend_count() {
    while (total_made() < options_.count) turn(now() + (blocked_ ? kMillisecond : kSecond), true);
  }

  std::size_t total_made() const {
    std::size_t made = 0;
    for (const auto& sender : senders_) made += sender.made;
    return made;
  }

  // Waits until everything that was published has arrived everywhere, and says so to the server.
  void settle() {
    auto heard_at = now();
    auto heard = total_delivered_ + total_acked_;
    const auto missing = [this] {
      return std::any_of(senders_.begin(), senders_.end(), [this](const Sender& sender) {
        return sender.acked < sender.made ||
               sender.delivered < static_cast<std::uint64_t>(options_.copies) * sender.made;
      });
    };
    bool last_words = false;
    const auto unanswered = [this] {
      return std::any_of(receivers_.begin(), receivers_.end(),
                         [](const Receiver& one) { return one.acknowledger.unanswered() > 0; });
    };
    while (missing() || !last_words || unanswered()) {
      if (!missing() && !last_words) {
        for (auto& receiver : receivers_) receiver.acknowledger.say_now(&receiver.link->out());
        last_words = true;
      }
      turn(now() + kMillisecond, false);
      if (heard != total_delivered_ + total_acked_) heard_at = now();
      heard = total_delivered_ + total_acked_;
      if (now() - heard_at > kPatience) {
        throw std::runtime_error("of " + std::to_string(total_made()) + " messages " + std::to_string(total_acked_) +
                                 " were acknowledged and " + std::to_string(total_delivered_) +
                                 " copies arrived; nothing more comes");
      }
    }
  }

  void report(double took, std::uint64_t acked, std::uint64_t delivered) {
    std::printf("made_total=%zu\n", total_made());
    std::printf("seconds=%.3f\nacked_per_s=%.0f\ndelivered_per_s=%.0f\n", took, static_cast<double>(acked) / took,
                static_cast<double>(delivered) / took);
    if (latencies_.empty()) return;
    std::sort(latencies_.begin(), latencies_.end());
    const auto microseconds = [&](double part) {
      return static_cast<double>(
                 latencies_[static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1))]) /
             1000;
    };
    std::printf("p50_us=%.0f\np99_us=%.0f\nmax_us=%.0f\n", microseconds(0.5), microseconds(0.99), microseconds(1));
  }

  const FlowOptions& options_;
  std::vector<Sender> senders_;
  std::vector<Receiver> receivers_;
  Poller poller_;
  std::vector<Nanoseconds> latencies_;
  std::uint64_t total_acked_ = 0;
  std::uint64_t total_delivered_ = 0;
  bool measuring_ = false;
  bool blocked_ = false;  // a socket is full
  Nanoseconds next_at_ = 0;
  std::size_t turn_of_ = 0;
};

}  // namespace

void run_flow(const FlowOptions& options) {
  Flow(options).run();
}

}  // namespace chat::load
