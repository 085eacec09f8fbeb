// Tells senders how far others have come, on a thread of its own.
//
// Invariants
//  (1) A receipt is due until the broker has acknowledged its publish to everybody concerned: it is told at least once,
//      whatever is killed when, and its last state always.
//  (2) Of one member of one conversation nobody is told more often than every kTellReceiptsEvery; what rose meanwhile
//  is
//      one receipt.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bridge/rpc/message.h"
#include "storage/receipts.h"

namespace chat {

inline constexpr std::chrono::milliseconds kTellReceiptsEvery{200};

// Threads: stop() on any; `publish`, which may wait, is called on the worker's.
class ReceiptWorker {
 public:
  // `done` as CommandWorker::Publish's.
  using Publish = std::function<void(Outgoing, std::function<void(bool)> done)>;

  // Starts the thread. Whatever `done` still holds when the worker is gone does no harm.
  ReceiptWorker(std::string prefix, std::unique_ptr<ReceiptStore> store, Publish publish);
  ~ReceiptWorker();
  ReceiptWorker(const ReceiptWorker&) = delete;
  ReceiptWorker& operator=(const ReceiptWorker&) = delete;

  // Ends the thread, also where the store does not answer. Again: nothing.
  void stop();

 private:
  // A receipt on its way, and what became of its publishes, told by other threads.
  struct Telling {
    Seq delivered = 0;
    Seq read = 0;
    std::size_t unanswered = 0;
    bool lost = false;
  };
  struct Tellings {
    std::mutex mutex;
    std::map<MemberKey, Telling> all;
  };

  void run();
  bool stopping();
  void pause_for(std::chrono::milliseconds duration);
  void hear_answers();
  void tell_some();
  void tell(const DueReceipt& receipt);
  std::chrono::milliseconds patience() const;

  const std::string prefix_;
  const std::unique_ptr<ReceiptStore> store_;
  const Publish publish_;
  const std::shared_ptr<Tellings> tellings_ = std::make_shared<Tellings>();
  std::size_t under_way_ = 0;        // receipts, when they were last counted
  std::vector<ToldReceipt> told_;    // the store is still to hear of these
  bool due_ = true;                  // there is or may be something to tell
  std::optional<MemberKey> behind_;  // how far the round under way has come; nullopt: none is
  std::chrono::steady_clock::time_point next_round_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace chat
