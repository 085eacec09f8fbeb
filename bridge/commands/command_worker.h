// Applies commands in the order in which they were committed, on a thread of its own, and publishes what they have to
// say to single users. (What they have to say to a conversation are events, which the broker's plugin hands out.)
//
// Invariants
//  (1) A command is applied once, and none before the one in front of it is done with.
//  (2) No command holds up those behind it for what it holds: what can't be applied is refused. Only a store that is
//  away
//      holds up all of them.
//  (3) What is to be published is published again until the broker has acknowledged it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bridge/commands/decide.h"
#include "bridge/rpc/message.h"
#include "storage/commands.h"

namespace chat {

// Threads: resume(), pause() and stop() on any, one at a time; `publish` is called on the worker's.
class CommandWorker {
 public:
  // `done` is to be called once, on any thread, also from within: true: the broker has it; false: it does not, or
  // nobody knows.
  using Publish = std::function<void(Outgoing, std::function<void(bool)> done)>;

  // Starts the thread, paused. Whatever `done` still holds when the worker is gone does no harm.
  CommandWorker(std::string prefix, const CommandRules& rules, std::unique_ptr<CommandStore> store, Publish publish);
  ~CommandWorker();
  CommandWorker(const CommandWorker&) = delete;
  CommandWorker& operator=(const CommandWorker&) = delete;

  void resume();
  // Finishes the command under way and begins no other. Does not wait for that.
  void pause();
  // Ends the thread, also where the store does not answer. Again: nothing.
  void stop();

 private:
  // What became of publishes, told by other threads.
  struct Answers {
    std::mutex mutex;
    std::vector<std::int64_t> arrived;
    std::vector<std::int64_t> lost;
  };

  void run();
  bool working();
  bool apply_some();
  void apply(const QueuedCommand& queued);
  void hear_answers();
  void publish_some();
  void pause_for(std::chrono::milliseconds duration);

  const std::string prefix_;
  const CommandRules rules_;
  const std::unique_ptr<CommandStore> store_;
  const Publish publish_;
  const std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::set<std::int64_t> under_way_;                     // published and not answered
  std::int64_t published_ = 0;                           // rows of `outgoing` up to this id were looked at
  std::chrono::steady_clock::time_point publish_again_;  // not before
  std::chrono::steady_clock::time_point look_again_;     // by then from the first row on

  std::mutex mutex_;
  std::condition_variable changed_;
  bool leading_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
