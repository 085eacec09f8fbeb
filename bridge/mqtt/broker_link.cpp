#include "bridge/mqtt/broker_link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <random>
#include <utility>

#include "bridge/mqtt/broker_uri.h"
#include "bridge/mqtt/no_delay.h"
#include "bridge/mqtt/paho_results.h"
#include "bridge/rpc/quote.h"
#include "storage/secret_file.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr int kMqtt5 = 5;
constexpr int kQos = 1;
constexpr seconds kKeepAlive{20};
constexpr seconds kConnectPatience{10};
constexpr milliseconds kFlushPatience{300};  // for what waits to go out when it is time to stop; main() gives a second
constexpr milliseconds kFarewellPatience{300};  // for the DISCONNECT itself
// Paho's sending thread, still busy with the DISCONNECT, misses that it is told to end, and looks again a second later.
constexpr milliseconds kPahoSettles{50};
// A connection that held less long than this does not count as a success: the waits go on growing.
constexpr seconds kStable{5};

std::uint64_t ticket_of(const mqtt::token& token) {
  return reinterpret_cast<std::uintptr_t>(token.get_user_context());
}

}  // namespace

BrokerLink::BrokerLink(LinkOptions options)
    : options_(std::move(options)),
      backoff_(options_.first_wait, options_.longest_wait, std::random_device{}()),
      client_(paho_uri(parse_broker_uri(options_.broker)), options_.client_id, mqtt::create_options(kMqtt5)) {
  client_.set_callback(*this);
  client_.set_disconnected_handler(
      [this](const mqtt::properties&, mqtt::ReasonCode reason) { fail("it said " + reason_text(reason)); });
}

BrokerLink::~BrokerLink() {
  stop();
  std::this_thread::sleep_for(kPahoSettles);
}

void BrokerLink::start(OnMessage on_message, OnLink on_link) {
  on_message_ = std::move(on_message);
  on_link_ = std::move(on_link);
  thread_ = std::thread([this] { run(); });
}

void BrokerLink::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BrokerLink::run() {
  for (;;) {
    const bool ready = establish();
    if (ready) {
      spdlog::info("connected to {} as {} and listening on {}", options_.broker, in_quotes(options_.client_id),
                   options_.filter);
      const auto since = Clock::now();
      serve();
      if (Clock::now() - since >= kStable) backoff_.reset();
    }
    if (std::exchange(told_up_, false)) on_link_(false);
    const milliseconds wait = backoff_.next();
    std::map<std::uint64_t, Done> unheard;
    bool stopping = false;
    {
      const std::scoped_lock lock(mutex_);
      unheard.swap(waiting_);
      const auto lost = outbox_.close();
      lost_ += lost - std::min(lost, unheard.size());
      if (lost_ > 0) spdlog::warn("{} answers were not sent: their clients will ask again", std::exchange(lost_, 0));
      stopping = stopping_;
      if (!stopping) {
        spdlog::warn("{} {}: {}; trying again in {} ms", ready ? "disconnected from" : "not connected to",
                     options_.broker, why_, wait.count());
      }
    }
    for (const auto& [ticket, done] : unheard) done(false);
    if (stopping) break;
    changed_.notify_all();
    hang_up();
    if (!pause(wait)) break;
  }
  hang_up();
  spdlog::info("disconnected from {}: stopping", options_.broker);
}

// From nothing to a granted subscription; false: why_ says what stood in the way.
bool BrokerLink::establish() {
  {
    const std::scoped_lock lock(mutex_);
    state_ = State::kConnecting;
  }
  try {
    const auto connecting = client_.connect(connect_options(), nullptr, *this);
    if (!await(State::kConnecting, options_.answer_patience, "no answer to CONNECT")) return false;
    set_no_delay(parse_broker_uri(options_.broker).port);
    {
      const std::scoped_lock lock(mutex_);
      outbox_.open(std::min(kUnderWayMax, window_of(*connecting)));
    }
    if (on_link_) {
      told_up_ = true;
      on_link_(true);
    }
    move(State::kConnected, State::kSubscribing);
    client_.subscribe(options_.filter, kQos, nullptr, *this);
    return await(State::kSubscribing, options_.answer_patience, "no answer to SUBSCRIBE");
  } catch (const std::exception& error) {
    fail(error.what());
    return false;
  }
}

// Sends what is to be sent, until the connection ends, or until it is time to stop and all is out or has had its time.
void BrokerLink::serve() {
  std::optional<Clock::time_point> end;
  std::unique_lock lock(mutex_);
  while (state_ == State::kReady) {
    const bool stopping = stopping_;
    if (stopping) {
      if (!end) end = Clock::now() + kFlushPatience;
      if (outbox_.empty() || Clock::now() >= *end) return;
    }
    if (const auto message = outbox_.next()) {
      lock.unlock();
      send(*message);
      lock.lock();
      if (outbox_.calm()) changed_.notify_all();
      continue;
    }
    const auto heard = heard_;
    const auto news = [&] {
      return state_ != State::kReady || outbox_.can_send() || stopping_ != stopping || heard_ != heard;
    };
    if (stopping) {
      changed_.wait_until(lock, *end, news);
    } else if (outbox_.empty()) {
      if (lost_ > 0) spdlog::warn("{} answers were not sent: more than {} waited", std::exchange(lost_, 0), kOutboxMax);
      changed_.wait(lock, news);
    } else if (!changed_.wait_for(lock, options_.answer_patience, news)) {
      state_ = State::kFailed;
      why_ = "the broker acknowledges nothing";
    }
  }
}

// Waits until the state is no longer `from`; true where it moved on and did not fail.
bool BrokerLink::await(State from, milliseconds patience, const char* timeout_text) {
  std::unique_lock lock(mutex_);
  const bool moved = changed_.wait_for(lock, patience, [&] { return stopping_ || state_ != from; });
  if (!moved) {
    state_ = State::kFailed;
    why_ = timeout_text;
  }
  return !stopping_ && state_ != State::kFailed;
}

void BrokerLink::move(State from, State to, std::string why) {
  {
    const std::scoped_lock lock(mutex_);
    if (state_ != from) return;
    state_ = to;
    why_ = std::move(why);
  }
  changed_.notify_all();
}

// The first reason counts: what follows from it (the socket's end after the broker's farewell) says less. Between two
// attempts there is nothing to fail.
void BrokerLink::fail(std::string why) {
  {
    const std::scoped_lock lock(mutex_);
    if (state_ == State::kFailed || state_ == State::kIdle) return;
    state_ = State::kFailed;
    why_ = std::move(why);
  }
  changed_.notify_all();
}

// Ends whatever there is of a connection, so that the next attempt starts from nothing.
void BrokerLink::hang_up() {
  try {
    if (client_.is_connected()) client_.disconnect(kFarewellPatience)->wait_for(kFarewellPatience);
  } catch (const std::exception& error) {
    spdlog::debug("while disconnecting: {}", error.what());
  }
  const std::scoped_lock lock(mutex_);
  state_ = State::kIdle;
}

// False: it is time to stop.
bool BrokerLink::pause(milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return stopping_; });
}

mqtt::connect_options BrokerLink::connect_options() const {
  mqtt::connect_options options;
  options.set_mqtt_version(kMqtt5);
  options.set_clean_start(true);
  options.set_automatic_reconnect(false);  // ours: it also covers the first attempt, a refusal, and jitter
  options.set_keep_alive_interval(kKeepAlive);
  options.set_connect_timeout(kConnectPatience);
  options.set_user_name(options_.user);
  if (!options_.password_file.empty()) options.set_password(read_secret(options_.password_file));
  return options;
}

void BrokerLink::publish(Outgoing message) {
  {
    const std::scoped_lock lock(mutex_);
    const bool connected = state_ == State::kSubscribing || state_ == State::kReady;
    if (!connected || !outbox_.put(std::move(message))) ++lost_;
  }
  changed_.notify_all();
}

void BrokerLink::publish(Outgoing message, Done done) {
  {
    const std::scoped_lock lock(mutex_);
    message.ticket = ++tickets_;
    const auto ticket = message.ticket;
    if (state_ == State::kReady && !stopping_ && outbox_.put(std::move(message))) {
      waiting_.emplace(ticket, std::move(done));
      done = nullptr;
    }
  }
  if (done) return done(false);
  changed_.notify_all();
}

void BrokerLink::await_calm() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outbox_.calm() || stopping_; });
}

void BrokerLink::send(const Outgoing& message) {
  try {
    mqtt::properties properties;
    if (message.correlation) properties.add({mqtt::property::CORRELATION_DATA, *message.correlation});
    // The library hands the number back as it is; nobody follows it.
    auto* const ticket =
        reinterpret_cast<void*>(static_cast<std::uintptr_t>(message.ticket));  // NOLINT(performance-no-int-to-ptr)
    client_.publish(mqtt::message::create(message.topic, message.payload, kQos, false, properties), ticket, *this);
  } catch (const std::exception& error) {
    spdlog::warn("an answer on {} could not be sent: {}", in_quotes(message.topic), error.what());
    sent(message.ticket, false);
  }
}

// One message less is under way.
void BrokerLink::sent(std::uint64_t ticket, bool arrived) {
  Done done;
  {
    const std::scoped_lock lock(mutex_);
    outbox_.done();
    ++heard_;
    if (const auto found = waiting_.find(ticket); found != waiting_.end()) {
      done = std::move(found->second);
      waiting_.erase(found);
    }
  }
  changed_.notify_all();
  if (done) done(arrived);
}

void BrokerLink::connection_lost(const std::string& cause) {
  fail(cause.empty() ? "the connection was lost" : "the connection was lost: " + cause);
}

void BrokerLink::message_arrived(mqtt::const_message_ptr message) {
  try {
    on_message_({message->get_topic(), message->get_payload_str(),
                 property_of(*message, mqtt::property::RESPONSE_TOPIC),
                 property_of(*message, mqtt::property::CORRELATION_DATA)});
  } catch (const std::exception& error) {
    spdlog::error("a message on {} was lost: {}", in_quotes(message->get_topic()), error.what());
  }
}

void BrokerLink::on_success(const mqtt::token& token) {
  const bool granted = refusal_of(token) == 0;
  if (token.get_type() == mqtt::token::Type::CONNECT) {
    move(State::kConnecting, State::kConnected);
  } else if (!granted) {
    on_failure(token);
  } else if (token.get_type() == mqtt::token::Type::PUBLISH) {
    sent(ticket_of(token), true);
  } else if (token.get_type() == mqtt::token::Type::SUBSCRIBE) {
    move(State::kSubscribing, State::kReady);
  }
}

void BrokerLink::on_failure(const mqtt::token& token) {
  const std::string text = failure_text(token);
  switch (token.get_type()) {
    case mqtt::token::Type::CONNECT:
      return move(State::kConnecting, State::kFailed,
                  refusal_of(token) != 0 ? "the broker refuses the user " + in_quotes(options_.user) + ": " + text +
                                               "; is the password right?"
                                         : text);
    case mqtt::token::Type::SUBSCRIBE:
      return move(State::kSubscribing, State::kFailed,
                  "the broker refuses the subscription to " + options_.filter + " by the user " +
                      in_quotes(options_.user) + ": " + text +
                      "; does the plugin's option bridge_user name this user?");
    case mqtt::token::Type::PUBLISH:
      // Without a word of the broker it is the connection that ended: then all that was under way is counted as one.
      if (refusal_of(token) != 0) spdlog::warn("an answer was not taken by the broker: {}", text);
      return sent(ticket_of(token), false);
    default:
      return;
  }
}

}  // namespace chat
