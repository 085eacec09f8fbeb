// A journal in memory that answers kFull or kBroken on order. One thread. What it keeps went through encode() and
// decode(), as on a disk.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin/journal/journal.h"

namespace chat::test {

class MemoryJournal : public Journal {
 public:
  MemoryJournal();

  // Every append() from now on answers this; kOk: they work again.
  void answer(AppendResult result) { result_ = result; }
  // The next `times` calls only.
  void answer_next(AppendResult result, int times = 1) {
    ordered_.insert(ordered_.end(), static_cast<std::size_t>(times), result);
  }

  // The machine goes down and comes back: what sync_now() did not reach is gone, and counted as a loss.
  void lose_power();

  // Those of one kind can't be read any more.
  template <typename Kind>
  void damage() {
    std::erase_if(records_, [](const auto& entry) { return std::holds_alternative<Kind>(entry.second); });
  }

  const std::vector<std::pair<Position, Record>>& records() const { return records_; }
  // All of one kind, in order.
  template <typename Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const auto& [position, record] : records_) {
      if (const auto* kind = std::get_if<Kind>(&record)) found.push_back(*kind);
    }
    return found;
  }
  Position trimmed() const { return trimmed_; }

  const Uuid& id() const override { return id_; }
  Position begin() const override { return kBegin; }
  Position end() const override { return end_; }
  std::uint64_t bytes() const override { return end_ - kBegin; }
  std::uint64_t cut_bytes() const override { return 0; }
  bool power_cut() const override { return losses_ > 0; }
  bool may_have_lost() const override { return losses_ > 0; }
  std::int64_t losses() const override { return losses_; }
  Position synced() const override { return synced_; }
  AppendResult append(const MessageView& record, Position* position) override { return keep(record, position); }
  AppendResult append(const CursorRecord& record, Position* position) override { return keep(record, position); }
  AppendResult append(const CommandRecord& record, Position* position) override { return keep(record, position); }
  AppendResult append(const ParkedRecord& record, Position* position) override { return keep(record, position); }
  AppendResult append(const ResolvedRecord& record, Position* position) override { return keep(record, position); }
  const std::string& last_error() const override { return last_error_; }
  void trim(Position up_to) override { trimmed_ = up_to; }
  int sync_now() override {
    synced_ = end_;
    return 0;
  }
  std::unique_ptr<JournalReader> read(Position from) override;

 private:
  static constexpr Position kBegin = 4096;

  template <typename Kind>
  AppendResult keep(const Kind& record, Position* position);

  Uuid id_{};
  Position end_ = kBegin;
  Position synced_ = kBegin;
  Position trimmed_ = 0;
  std::int64_t losses_ = 0;
  AppendResult result_ = AppendResult::kOk;
  std::deque<AppendResult> ordered_;
  std::vector<std::pair<Position, Record>> records_;
  std::string last_error_ = "a fault was ordered";
};

}  // namespace chat::test
