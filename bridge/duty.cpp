#include "bridge/duty.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "bridge/standings/heard_feed.h"
#include "bridge/standings/opening.h"
#include "bridge/wall_clock.h"
#include "storage/commands.h"
#include "storage/receipts.h"
#include "storage/redis/redis.h"
#include "storage/unread.h"

namespace chat {

void Duty::start() {
  if (!link_) {
    link_ = std::make_unique<BrokerLink>(link_options(options_));
    auto* const link = link_.get();
    requests_ = std::make_unique<RequestWorker>(
        desk_, [link](Outgoing outgoing) { link->publish(std::move(outgoing)); }, [link] { link->await_calm(); });
    // Before the link starts: its threads find all listeners.
    start_presence(link);
    start_unread(link);
    link_->start([this](Incoming incoming) { take(std::move(incoming)); },
                 [this](bool up) {
                   for (const auto& tell : on_link_) tell(up);
                 });
    commands_ = std::make_unique<CommandWorker>(options_.prefix, command_rules(options_),
                                                open_postgres_commands(options_.postgres, "mosquitto-chat-bridge"),
                                                [link](Outgoing outgoing, std::function<void(bool)> done) {
                                                  link->publish(std::move(outgoing), std::move(done));
                                                });
    receipts_ = std::make_unique<ReceiptWorker>(options_.prefix,
                                                open_receipt_store(options_.postgres, "mosquitto-chat-bridge receipts"),
                                                [link](Outgoing outgoing, std::function<void(bool)> done) {
                                                  link->await_calm();
                                                  link->publish(std::move(outgoing), std::move(done));
                                                });
    search_ = std::make_unique<SearchWorker>(open_search_index(options_.postgres, "mosquitto-chat-bridge search"));
  }
  commands_->resume();
  search_->resume();
}

void Duty::start_presence(BrokerLink* link) {
  presence_ = std::make_unique<PresenceWorker>(
      options_.prefix, board_, open_postgres_presence(options_.postgres, "mosquitto-chat-bridge presence"),
      [link](Outgoing outgoing, std::function<void(bool)> done) {
        link->publish(std::move(outgoing), std::move(done));
      },
      [link] { link->await_calm(); }, wall_clock);
  on_sessions_.push_back([this](const SessionSignals& signals) {
    board_.hear(signals, wall_clock(), std::chrono::steady_clock::now());
    presence_->wake();
  });
  on_link_.push_back([this](bool up) {
    if (!up) board_.link_lost(wall_clock());
  });
  if (options_.redis.empty()) return;
  const auto say = [](bool back, const std::string& sentence) {
    spdlog::log(back ? spdlog::level::info : spdlog::level::warn, "{}", sentence);
  };
  mirror_ = std::make_unique<PresenceMirror>(options_.prefix, board_,
                                             std::make_unique<Redis>(parse_redis_uri(options_.redis), say), wall_clock);
}

void Duty::start_unread(BrokerLink* link) {
  UnreadWorker::Surroundings around;
  around.prefix = options_.prefix;
  around.store = open_standing_cache(options_, log_, "mosquitto-chat-bridge unread");
  around.feed = open_activity_feed(options_.postgres, "mosquitto-chat-bridge activity");
  if (!options_.redis.empty()) around.feed = std::make_unique<HeardFeed>(std::move(around.feed), log_);
  around.now = wall_clock;
  around.publish = [link](Outgoing outgoing) {
    link->await_calm();
    link->publish(std::move(outgoing));
  };
  unread_ = std::make_unique<UnreadWorker>(std::move(around));
  on_sessions_.emplace_back([worker = unread_.get()](const SessionSignals& signals) { worker->hear(signals); });
  // Who is connected is not known then; the broker tells it all when the link is back.
  on_link_.emplace_back([worker = unread_.get()](bool up) {
    if (!up) worker->hear({.reset = true, .sessions = {}});
  });
}

void Duty::take(Incoming incoming) {
  if (incoming.topic == signal_topic(options_.prefix)) return hear_sessions(incoming.payload);
  requests_->accept(std::move(incoming));
}

void Duty::hear_sessions(std::string_view payload) {
  std::string why;
  const auto signals = signals_.read(payload, &why);
  if (!signals) return link_->renew(why);  // the broker tells all sessions to a bridge that subscribes
  for (const auto& tell : on_sessions_) tell(*signals);
}

void Duty::pause() {
  if (commands_) commands_->pause();
  if (search_) search_->pause();
}

void Duty::stop() {
  if (!link_) return;
  search_->stop();
  commands_->stop();
  receipts_->stop();
  unread_->stop();
  presence_->stop();
  if (mirror_) mirror_->stop();
  requests_->stop();
  link_->stop();
  search_.reset();
  commands_.reset();
  receipts_.reset();
  requests_.reset();
  link_.reset();
  on_sessions_.clear();
  on_link_.clear();
  mirror_.reset();
  presence_.reset();
  unread_.reset();
  board_.forget();
}

}  // namespace chat
