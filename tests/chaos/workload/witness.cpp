#include "tests/chaos/workload/witness.h"

#include <utility>

#include "tests/support/database.h"

namespace chat::test {

Witness::Witness(std::string postgres, OperationsFile& log)
    : postgres_(std::move(postgres)), log_(log), thread_([this] { run(); }) {}

Witness::~Witness() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Witness::told_sent(const std::string& device, const std::string& id, const std::string& conv, std::int64_t seq) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({.did = Did::kSent, .device = device, .conv = conv, .seq = seq, .id = id, .code = -1});
  }
  changed_.notify_all();
}

void Witness::run() {
  // A frozen PostgreSQL must not hold it up for longer than this.
  Database database(postgres_ + "?connect_timeout=2&options=-cstatement_timeout%3D2000&tcp_user_timeout=2000");
  for (;;) {
    std::deque<Operation> now;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      now.swap(waiting_);
    }
    bool reachable = true;
    for (auto& sent : now) {
      try {
        if (reachable) {
          sent.code = database.number(
              "SELECT count(*) FROM messages WHERE conv_id = (SELECT id FROM conversations WHERE name = " +
              database.quote(sent.conv) + ") AND seq = " + std::to_string(sent.seq) +
              " AND id = " + database.quote(sent.id));
        }
      } catch (const std::exception&) {
        reachable = false;
      }
      log_.add(std::move(sent));
    }
  }
}

}  // namespace chat::test
