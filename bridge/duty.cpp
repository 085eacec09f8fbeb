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
    link_->start([worker = requests_.get()](Incoming incoming) { worker->accept(std::move(incoming)); });
    commands_ = std::make_unique<CommandWorker>(options_.prefix, command_rules(options_),
                                                open_postgres_commands(options_.postgres, "mosquitto-chat-bridge"),
                                                [link](Outgoing outgoing, std::function<void(bool)> done) {
                                                  link->publish(std::move(outgoing), std::move(done));
                                                });
  }
  commands_->resume();
}

void Duty::pause() {
  if (commands_) commands_->pause();
}

void Duty::stop() {
  if (!link_) return;
  commands_->stop();
  requests_->stop();
  link_->stop();
  commands_.reset();
  requests_.reset();
  link_.reset();
}

}  // namespace chat
