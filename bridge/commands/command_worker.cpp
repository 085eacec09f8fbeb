#include "bridge/commands/command_worker.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "bridge/pacing.h"
#include "bridge/rpc/codes.h"
#include "bridge/rpc/quote.h"
#include "storage/backoff.h"

namespace chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kCommandsARound = 100;
constexpr int kOutgoingAtOnce = 500;        // rows read at once
constexpr milliseconds kPublishAgain{500};  // behind a publish that did not get through

std::string error_payload(const std::string& topic, const std::string& id, const RefuseCommand& refusal) {
  nlohmann::ordered_json out{{"code", refusal.code}, {"reason", refusal.reason}, {"topic", topic}, {"id", nullptr}};
  if (!id.empty()) out["id"] = id;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

CommandWorker::CommandWorker(std::string prefix, const CommandRules& rules, std::unique_ptr<CommandStore> store,
                             Publish publish)
    : prefix_(std::move(prefix)),
      rules_(rules),
      store_(std::move(store)),
      publish_(std::move(publish)),
      thread_([this] { run(); }) {}

CommandWorker::~CommandWorker() {
  stop();
}

void CommandWorker::resume() {
  {
    const std::scoped_lock lock(mutex_);
    leading_ = true;
  }
  changed_.notify_all();
}

void CommandWorker::pause() {
  const std::scoped_lock lock(mutex_);
  leading_ = false;
}

void CommandWorker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  store_->interrupt();
  if (thread_.joinable()) thread_.join();
}

bool CommandWorker::working() {
  const std::scoped_lock lock(mutex_);
  return leading_ && !stopping_;
}

void CommandWorker::pause_for(milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void CommandWorker::run() {
  auto backoff = postgres_backoff();
  bool away = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return leading_ || stopping_; });
      if (stopping_) return;
    }
    try {
      const bool more = apply_some();
      publish_some();
      if (std::exchange(away, false)) spdlog::info("commands are applied again");
      backoff.reset();
      if (!more) store_->wait(under_way_.empty() ? kPoll : kAnswersSoon);
    } catch (const std::exception& error) {
      // In doubt or not: the row says what was done.
      if (!working()) continue;
      if (!std::exchange(away, true)) spdlog::warn("commands wait: {}", error.what());
      pause_for(backoff.next());
    }
  }
}

// True: there may be more.
bool CommandWorker::apply_some() {
  const auto commands = store_->waiting(kCommandsARound);
  for (const auto& command : commands) {
    if (!working()) return false;
    apply(command);
  }
  return commands.size() == static_cast<std::size_t>(kCommandsARound);
}

void CommandWorker::apply(const QueuedCommand& queued) {
  const auto& command = queued.command;
  const auto fields = read_command(command.payload);
  const auto error = [&](const RefuseCommand& refusal) {
    return error_payload(prefix_ + "/c/" + queued.conv + "/" + command.operation, fields.id, refusal);
  };
  std::string code = "applied";
  const auto decide_and_say = [&](const CommandScene& scene) {
    auto effect = decide(queued, fields, scene, rules_);
    if (const auto* refusal = std::get_if<RefuseCommand>(&effect)) code = refusal->code;
    return effect;
  };
  try {
    if (!store_->apply(queued, fields.seq, decide_and_say, error)) code = "was applied before";
  } catch (const StoreUnavailable&) {
    throw;
  } catch (const StoreInDoubt&) {
    throw;
  } catch (const std::exception& failure) {
    spdlog::error("the {} {} of {} in {} can't be applied, and is refused: {}", in_quotes(command.operation), queued.id,
                  command.user, in_quotes(queued.conv), failure.what());
    code = code::kBadField;
    store_->apply(
        queued, fields.seq,
        [](const CommandScene&) -> CommandEffect {
          return RefuseCommand{code::kBadField, "The server can't keep what this would make of the message."};
        },
        error);
  }
  spdlog::debug("{} {} of {} in {}: {}", command.operation, queued.id, command.user, in_quotes(queued.conv), code);
}

void CommandWorker::hear_answers() {
  std::vector<std::int64_t> arrived;
  std::vector<std::int64_t> lost;
  {
    const std::scoped_lock lock(answers_->mutex);
    arrived.swap(answers_->arrived);
    lost.swap(answers_->lost);
  }
  for (const auto id : lost) under_way_.erase(id);
  if (!lost.empty()) {
    published_ = 0;  // once more from the start, but for those that are still under way
    publish_again_ = Clock::now() + kPublishAgain;
  }
  if (arrived.empty()) return;
  try {
    store_->forget(arrived);
  } catch (...) {
    const std::scoped_lock lock(answers_->mutex);
    answers_->arrived.insert(answers_->arrived.end(), arrived.begin(), arrived.end());
    throw;
  }
  for (const auto id : arrived) under_way_.erase(id);
}

void CommandWorker::publish_some() {
  hear_answers();
  const auto now = Clock::now();
  if (now < publish_again_) return;
  // Ids are drawn before the commit: a row may appear below one that was published already. While nothing is under way,
  // what is there is what was not published; else it is looked for once a second.
  if (under_way_.empty() || now >= look_again_) {
    published_ = 0;
    look_again_ = now + kPoll;
  }
  while (working() && under_way_.size() < kUnderWayLow) {
    const auto rows = store_->outgoing(published_, kOutgoingAtOnce);
    for (const auto& row : rows) {
      published_ = row.id;
      if (!under_way_.insert(row.id).second) continue;
      publish_({prefix_ + "/u/" + row.user + "/" + row.leaf, row.payload, std::nullopt},
               [answers = answers_, id = row.id](bool arrives) {
                 const std::scoped_lock lock(answers->mutex);
                 (arrives ? answers->arrived : answers->lost).push_back(id);
               });
    }
    if (rows.size() < static_cast<std::size_t>(kOutgoingAtOnce)) return;
  }
}

}  // namespace chat
