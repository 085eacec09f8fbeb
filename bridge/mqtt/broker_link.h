// The bridge's connection to the broker: the one place that knows the MQTT library (Eclipse Paho).
//
// Invariants
//  (1) It keeps trying for ever, whatever the reason was (nobody listens, wrong password, subscription refused), with
//  growing
//      waits, and says each time in one log line why and when it tries again.
//  (2) It says "connected" only once the broker has granted the subscription: from then on requests are answered.
//  (3) Every connection is an MQTT 5 clean start and subscribes anew. Requests that came to the broker meanwhile are
//  gone, and
//      their clients send them again; a queue of old ones would answer people who stopped waiting.
//  (4) The password is in no log line.
// Threads: one of its own keeps the connection; Paho's threads call `on_message`, which must not wait; publish() on any
// thread.
#pragma once

#include <mqtt/async_client.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "bridge/mqtt/outbox.h"
#include "bridge/rpc/message.h"
#include "storage/backoff.h"

namespace chat {

struct LinkOptions {
  std::string broker;  // mqtt://host[:port]
  std::string client_id;
  std::string user;
  std::string password_file;  // its first line; read again at each attempt; empty = connect without a password
  std::string filter;         // subscribed to with QoS 1
  std::chrono::milliseconds first_wait{250};
  // Of a broker that is one and near: who waits for an answer waits for this, too.
  std::chrono::milliseconds longest_wait{5'000};
  // A broker that acknowledges nothing for so long, while something waits for it, is given up: should Paho itself say
  // nothing.
  std::chrono::milliseconds answer_patience{15'000};
};

class BrokerLink : private mqtt::callback, private mqtt::iaction_listener {
 public:
  using OnMessage = std::function<void(Incoming)>;

  // Nothing is connected yet. Throws std::invalid_argument where the address is none, mqtt::exception where the
  // library can't use it or the client id.
  explicit BrokerLink(LinkOptions options);
  ~BrokerLink() override;
  BrokerLink(const BrokerLink&) = delete;
  BrokerLink& operator=(const BrokerLink&) = delete;

  // Starts connecting. Once. `on_link`, where it is given, is called on the link's thread: true before the first
  // message of a connection may come, false once the connection has ended. It must not wait.
  using OnLink = std::function<void(bool up)>;
  void start(OnMessage on_message, OnLink on_link = nullptr);

  // Gives the connection up and makes a new one: for whoever finds that something is missing. Any thread; never waits.
  void renew(std::string why) { fail(std::move(why)); }

  // Queues a message. Never waits, so that Paho's threads may call it too. Where there is no connection, or kOutboxMax
  // wait already, it is lost, and the log says how many were: clients repeat what was not answered.
  void publish(Outgoing message);

  // The same for a message that must arrive: `done` is called once, from within or on any thread, with true when the
  // broker has acknowledged it, with false where it was lost or may have been. It must not wait, nor call the link.
  using Done = std::function<void(bool arrived)>;
  void publish(Outgoing message, Done done);

  // Waits while kOutboxCalm messages or more wait to go out. For threads that produce answers, never for Paho's.
  void await_calm();

  // Gives what was published a moment to go out, disconnects and ends the thread. Again: nothing.
  void stop();

 private:
  // Where the connection stands. Paho's threads move it on from kConnecting, kSubscribing and kReady only, so that a
  // late word about an earlier attempt changes nothing.
  enum class State { kIdle, kConnecting, kConnected, kSubscribing, kReady, kFailed };

  void run();
  bool establish();
  void serve();
  void send(const Outgoing& message);
  void sent(std::uint64_t ticket, bool arrived);
  bool await(State from, std::chrono::milliseconds patience, const char* timeout_text);
  void move(State from, State to, std::string why = {});
  void fail(std::string why);
  void hang_up();
  bool pause(std::chrono::milliseconds duration);
  mqtt::connect_options connect_options() const;

  void connection_lost(const std::string& cause) override;
  void message_arrived(mqtt::const_message_ptr message) override;
  void on_success(const mqtt::token& token) override;
  void on_failure(const mqtt::token& token) override;

  const LinkOptions options_;
  OnMessage on_message_;
  OnLink on_link_;
  bool told_up_ = false;  // the link's thread only
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kIdle;
  std::string why_;  // with kFailed
  bool stopping_ = false;
  Outbox outbox_;
  std::size_t lost_ = 0;                   // messages that could not be sent, since the log last said so
  std::map<std::uint64_t, Done> waiting_;  // by the ticket of a message in the outbox or under way
  std::uint64_t tickets_ = 0;
  std::uint64_t heard_ = 0;  // publishes that came to an end: while this rises, the broker lives
  Backoff backoff_;
  mqtt::async_client client_;  // behind all that its callbacks touch: destroyed before it
  std::thread thread_;
};

}  // namespace chat
