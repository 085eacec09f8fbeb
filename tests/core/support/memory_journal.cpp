#include "tests/core/support/memory_journal.h"

#include <algorithm>
#include <stdexcept>

#include "plugin/journal/format.h"

namespace chat::test {
namespace {

class MemoryReader : public JournalReader {
 public:
  MemoryReader(const MemoryJournal& journal, Position from) : journal_(journal), position_(from) {}
  Result next(Record* record, Position* position) override {
    const auto& records = journal_.records();
    const auto found = std::lower_bound(records.begin(), records.end(), position_,
                                        [](const auto& entry, Position wanted) { return entry.first < wanted; });
    if (found == records.end()) {
      position_ = std::max(position_, journal_.end());  // over the gap that a loss left
      return Result::kEnd;
    }
    *record = found->second;
    *position = found->first;
    position_ = found + 1 != records.end() ? (found + 1)->first : journal_.end();
    return Result::kRecord;
  }
  Position position() const override { return position_; }
  const std::string& error() const override { return error_; }

 private:
  const MemoryJournal& journal_;
  Position position_;
  std::string error_;
};

}  // namespace

MemoryJournal::MemoryJournal() {
  id_[0] = 1;
}

void MemoryJournal::lose_power() {
  std::erase_if(records_, [this](const auto& entry) { return entry.first >= synced_; });
  end_ += kPowerCutGap;
  synced_ = end_;
  ++losses_;
}

template <typename Kind>
AppendResult MemoryJournal::keep(const Kind& record, Position* position) {
  auto result = result_;
  if (!ordered_.empty()) {
    result = ordered_.front();
    ordered_.pop_front();
  }
  if (result != AppendResult::kOk) return result;
  std::string body;
  encode(record, &body);
  Record kept;
  if (!decode(body, &kept)) throw std::logic_error("a record that can't be read again was journaled");
  if (position != nullptr) *position = end_;
  records_.emplace_back(end_, std::move(kept));
  end_ += body.size() + 16;
  return AppendResult::kOk;
}

std::unique_ptr<JournalReader> MemoryJournal::read(Position from) {
  return std::make_unique<MemoryReader>(*this, from);
}

}  // namespace chat::test
