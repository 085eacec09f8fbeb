// Gathers journal records into a batch for the store, and what is to be said once it is committed. No threads, no
// store.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "plugin/core/ack_json.h"
#include "plugin/core/ports.h"
#include "plugin/core/string_map.h"
#include "plugin/journal/record.h"
#include "storage/types.h"

namespace chat {

class BatchMaker {
 public:
  // Acknowledgements in one publish: the JSON stays near 64 KiB.
  static constexpr std::size_t kAcksPerPublish = 400;

  // A batch of `journal` that starts at `from`.
  BatchMaker(const Uuid& journal, Position from, int receipt_push_members = kReceiptPushMembers);

  void add(Record record, Position position);
  // Where the record behind the last added one starts.
  void reach(Position to) { batch_.to = to; }

  const Batch& batch() const { return batch_; }
  std::size_t records() const { return records_; }
  std::size_t bytes() const { return bytes_; }

  // The notice of this batch's commit; takes what add() gathered for it.
  Committed committed();

 private:
  void add_cursor(CursorUpdate cursor);

  Batch batch_;
  std::size_t records_ = 0;
  std::size_t bytes_ = 0;
  // One upsert per device and conversation, however many acknowledgements came.
  std::map<std::tuple<std::string, std::string, ConvId>, std::size_t> cursor_places_;
};

}  // namespace chat
