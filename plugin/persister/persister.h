// Takes the journal to PostgreSQL: reads it in order and commits it in batches, for ever. After a crash, after an
// outage and in everyday work it does the same thing: it starts where the store says that it stands.
//
// Invariants
//  (1) A batch is committed together with the position behind it, so each record is applied once, whatever is killed
//  when. A
//      commit whose outcome is unknown is repeated; the store tells that it had happened.
//  (2) Committed notices (and so `status: sent`) are posted behind the commit, never before.
//  (3) The journal is trimmed behind the commit, and never past what is parked.
// Threads: its own, between start() and stop().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "plugin/journal/journal.h"
#include "plugin/persister/batch_maker.h"
#include "plugin/threads/health.h"
#include "plugin/threads/mailbox.h"
#include "plugin/threads/progress.h"
#include "plugin/threads/worker.h"
#include "storage/store.h"

namespace chat {

struct PersisterOptions {
  std::size_t batch_records = 4000;
  std::size_t batch_bytes = 4U << 20;
  int commit_interval_ms = 40;  // under load, from the beginning of one batch to that of the next
  int receipt_push_members = kReceiptPushMembers;
};

class Persister {
 public:
  // All references outlive the object. `parked_floor` is called on the persister's thread.
  Persister(const PersisterOptions& options, Journal& journal, std::unique_ptr<Store> store, Mailbox& mailbox,
            Health& health, Progress& progress, std::function<Position()> parked_floor);
  ~Persister();

  void start();
  void stop();

  // Something was journaled. The broker's thread, behind each callback that appended; costs next to nothing unless the
  // persister sleeps.
  void ring();

 private:
  void run();
  void persist();
  Position start_position();
  void conclude(BatchMaker& maker);
  void wait_for_records(Position position);
  void log(LogLevel level, const std::string& text);

  PersisterOptions options_;
  Journal& journal_;
  std::unique_ptr<Store> store_;
  Mailbox& mailbox_;
  Health& health_;
  Progress& progress_;
  std::function<Position()> parked_floor_;
  std::optional<BatchMaker> pending_;                 // a batch whose commit may have happened, and was not concluded
  std::chrono::steady_clock::time_point gathered_{};  // when the latest batch was begun
  std::atomic<std::uint32_t> bell_{0};
  Worker worker_;
};

}  // namespace chat
