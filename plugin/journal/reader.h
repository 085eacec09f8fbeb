// The reader's side of a journal: one thread, beside the append side's.
#pragma once

#include <memory>
#include <string>

#include "plugin/journal/file.h"
#include "plugin/journal/format.h"
#include "plugin/journal/journal.h"
#include "plugin/journal/layout.h"
#include "plugin/journal/scanner.h"

namespace chat {

class FileJournalReader : public JournalReader {
 public:
  // All but `folder` outlive it.
  FileJournalReader(FileSystem& file_system, std::string folder, const RecordSeal& seal, const Layout& layout,
                    const std::atomic<Position>& end, Position from);

  Result next(Record* record, Position* position) override;
  Position position() const override { return position_; }
  const std::string& error() const override { return error_; }

 private:
  enum class Step { kReadOn, kEnd, kCorrupt };
  Step start();                        // finds the first segment, and whether something is missing in front of it
  Step refresh();                      // bytes up to limit_ are used up: are there more, here or in the next segment?
  Step enter(const Segment& segment);  // opens it
  Result corrupt(Position from, Position to, const std::string& why);

  FileSystem& file_system_;
  const std::string folder_;
  const RecordSeal& seal_;
  const Layout& layout_;
  const std::atomic<Position>& end_;

  Position position_;
  Position limit_ = 0;                       // what the present segment is known to hold
  Position base_ = 0;                        // of the present segment
  std::unique_ptr<SegmentScanner> scanner_;  // none: start() or enter() has not succeeded yet
  bool started_ = false;
  std::string error_;
};

}  // namespace chat
