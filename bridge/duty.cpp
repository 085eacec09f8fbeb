#include "bridge/duty.h"

#include <utility>

#include "storage/commands.h"

namespace chat {

void Duty::start() {
  if (!link_) {
    link_ = std::make_unique<BrokerLink>(link_options(options_));
    auto* const link = link_.get();
    requests_ = std::make_unique<RequestWorker>(
        desk_, [link](Outgoing outgoing) { link->publish(std::move(outgoing)); }, [link] { link->await_calm(); });
    link_->start([this](Incoming incoming) { take(std::move(incoming)); },
                 [this](bool up) {
                   for (const auto& tell : on_link_) tell(up);
                 });
    commands_ = std::make_unique<CommandWorker>(options_.prefix, command_rules(options_),
                                                open_postgres_commands(options_.postgres, "mosquitto-chat-bridge"),
                                                [link](Outgoing outgoing, std::function<void(bool)> done) {
                                                  link->publish(std::move(outgoing), std::move(done));
                                                });
    search_ = std::make_unique<SearchWorker>(open_search_index(options_.postgres, "mosquitto-chat-bridge search"));
  }
  commands_->resume();
  search_->resume();
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
  requests_->stop();
  link_->stop();
  search_.reset();
  commands_.reset();
  requests_.reset();
  link_.reset();
}

}  // namespace chat
