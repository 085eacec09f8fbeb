#include "plugin/persister/persister.h"
#include "storage/backoff.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace chat {
namespace {
constexpr std::chrono::milliseconds kGather{5};  // behind a pause: what was sent together is stored together
}  // namespace

Persister::Persister(const PersisterOptions& options, Journal& journal, std::unique_ptr<Store> store, Mailbox& mailbox,
                     Health& health, Progress& progress, std::function<Position()> parked_floor)
    : options_(options),
      journal_(journal),
      store_(std::move(store)),
      mailbox_(mailbox),
      health_(health),
      progress_(progress),
      parked_floor_(std::move(parked_floor)) {}

Persister::~Persister() {
  stop();
}

void Persister::start() {
  worker_.start("chat-persister", [this] { run(); });
}

void Persister::stop() {
  worker_.stop([this] {
    store_->interrupt();
    progress_.hurry();
    ring();
  });
}

void Persister::ring() {
  bell_.fetch_add(1, std::memory_order_release);
  bell_.notify_one();
}

void Persister::run() {
  auto backoff = postgres_backoff();
  while (!worker_.stopping()) {
    try {
      persist();
      backoff.reset();
    } catch (const StoreInDoubt& doubt) {
      // Which of the two it was is asked of the store before anything is repeated.
      health_.away(doubt.what());
    } catch (const StoreUnavailable& unavailable) {
      health_.away(unavailable.what());
    } catch (const std::exception& error) {
      log(LogLevel::kError, std::string("The persister can't go on, and tries again: ") + error.what());
    }
    worker_.sleep(backoff.next());
  }
}

Position Persister::start_position() {
  const auto checkpoint = store_->checkpoint(journal_.id());
  if (!checkpoint) return journal_.begin();
  // In front of begin() the reader says what is missing, and goes on; behind end() nothing can be right.
  if (*checkpoint > journal_.end()) {
    throw StoreCorrupt("PostgreSQL has this journal up to position " + std::to_string(*checkpoint) +
                       ", but the journal ends at " + std::to_string(journal_.end()) + ": its folder is an older copy");
  }
  return *checkpoint;
}

// One connection's life: ends by an exception, or when the thread is told to stop.
void Persister::persist() {
  auto position = start_position();
  health_.back();
  // The commit that was in doubt had happened: its senders are still to be told.
  if (pending_ && pending_->batch().to <= position) conclude(*pending_);
  pending_.reset();
  progress_.advance(position);
  const auto reader = journal_.read(position);
  bool behind = false;  // the last batch was full: more waits, and there is nothing to gather
  while (!worker_.stopping()) {
    if (!behind) wait_for_records(position);
    auto& maker = pending_.emplace(journal_.id(), position, options_.receipt_push_members);
    const auto full = [&] {
      return maker.records() >= options_.batch_records || maker.bytes() >= options_.batch_bytes;
    };
    while (!full()) {
      Record record;
      Position at = 0;
      const auto result = reader->next(&record, &at);
      if (result == JournalReader::Result::kEnd) break;
      if (result == JournalReader::Result::kCorrupt) {
        log(LogLevel::kError, "The journal is damaged, what could be read is kept: " + reader->error());
        continue;
      }
      maker.add(std::move(record), at);
    }
    behind = full();
    maker.reach(reader->position());
    if (maker.batch().to == maker.batch().from) continue;
    store_->commit(maker.batch());  // applied now or before: both are what we wanted
    position = maker.batch().to;
    conclude(maker);
    pending_.reset();
    journal_.trim(std::min(position, parked_floor_()));
  }
}

void Persister::conclude(BatchMaker& maker) {
  const auto position = maker.batch().to;
  mailbox_.post(maker.committed());
  progress_.advance(position);
}

void Persister::wait_for_records(Position position) {
  while (!worker_.stopping() && journal_.end() == position) {
    const auto seen = bell_.load(std::memory_order_acquire);
    if (journal_.end() != position || worker_.stopping()) break;
    bell_.wait(seen, std::memory_order_acquire);
  }
  // Each transaction takes the processors from the broker's thread, the database's part as well: so there are few under
  // load. What comes behind a pause waits for hardly anything.
  const auto interval = std::chrono::milliseconds(options_.commit_interval_ms);
  const auto next = gathered_ + interval - std::chrono::steady_clock::now();
  if (!worker_.stopping())
    progress_.gather(std::max(ceil<std::chrono::milliseconds>(next), std::min(kGather, interval)));
  gathered_ = std::chrono::steady_clock::now();
}

void Persister::log(LogLevel level, const std::string& text) {
  mailbox_.post(LogLine{level, text});
}

}  // namespace chat
