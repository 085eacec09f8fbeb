// The journal: the file in which an accepted publish first becomes ours to keep, and the queue from which the persister
// works.
//
// Invariants
//  (1) A record that append() returned kOk for is read back by JournalReader after any crash of the process, byte for
//  byte.
//      What a power cut may cost is `Sync`.
//  (2) Records are read in the order of append(). A torn tail is cut at open(), never guessed, and what was cut is kept
//  beside
//      the journal as <segment>.cut where it holds anything but zeros.
//  (3) A position is given to one record only, for the life of the journal (its UUID), however often it is opened and
//  whatever
//      a power cut took away. Positions rise, but not always by a record's size: see docs/journal-format.md.
//  (4) trim() removes whole segments only, and never one that holds a position at or above its argument.
// Threads: append(), end() and append-side errors on one thread (the broker's); a JournalReader on one other thread;
// trim() and sync_now() on any thread. No call of the append side waits for a lock that another holds across disk work.
// File layout: docs/journal-format.md.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "plugin/journal/file.h"
#include "plugin/journal/record.h"

namespace chat {

struct JournalOptions {
  std::string folder;
  std::uint64_t bytes_max = 1ULL << 30;  // of all segments together; beyond: kFull
  std::uint64_t segment_bytes =
      64ULL << 20;  // a new segment starts behind this, or behind a quarter of bytes_max if less
  // When a record is on the medium and not only in the page cache.
  enum class Sync { kAlways, kInterval, kNever } sync = Sync::kInterval;
  std::chrono::milliseconds interval{100};  // with kInterval: a thread of the journal's own calls fdatasync this often
  // From so many bytes appended in a tenth of a second on, what comes next is copied into memory that is the file's
  // (File::prepare). Below it a write() costs little of a second, and idle files are not made longer. Not with kAlways,
  // nor with an interval below Preparer::kIntervalMin.
  std::uint64_t prepare_from = 32ULL << 10;
  // Calls what it is given, once, on a thread whose table of descriptors is to be that of the journal's own thread, and
  // of those that call trim() and sync_now(); empty: on the caller's. Not with kAlways, where the append side syncs.
  std::function<void(const std::function<void()>&)> aside{};
};

enum class AppendResult {
  kOk,
  kFull,    // bytes_max reached, no space on the disk, or a record above kRecordBytesMax: nothing was kept; later calls
            // may succeed again
  kBroken,  // the disk failed in a way that leaves the file's end unknown: stays so until the journal is opened again.
            // If the record at hand was kept is unknown too.
};

struct JournalError {
  std::string what;  // a sentence with path and reason
};

class JournalReader;

class Journal {
 public:
  // Opens or makes the journal in `options.folder` (its parent must exist), cuts a torn tail, and locks the folder
  // against a second process. Reads the last segment: tens of milliseconds. `file_system` outlives it. Answers nullptr
  // and fills `error` where the folder can't be used.
  static std::unique_ptr<Journal> open(const JournalOptions& options, FileSystem& file_system, JournalError* error);
  // Closes cleanly: syncs, and notes that it did. Readers must be gone.
  virtual ~Journal() = default;

  virtual const Uuid& id() const = 0;
  virtual Position begin() const = 0;           // of the oldest record still there, or end()
  virtual Position end() const = 0;             // where the next record will start: any thread
  virtual std::uint64_t bytes() const = 0;      // of all segments: any thread
  virtual std::uint64_t cut_bytes() const = 0;  // what open() cut off: 0 after a clean stop
  // The machine, not only the process, went down since the last run, which had not closed its journal: of what was
  // acknowledged then, the newest may be gone (by JournalOptions::sync). False for a new journal.
  virtual bool power_cut() const = 0;
  // It did, and that run did not sync each record before it was acknowledged.
  virtual bool may_have_lost() const = 0;
  // How often that was so in this journal's life, or more: it never falls, and rises with each such opening.
  virtual std::int64_t losses() const = 0;
  // Everything below that was not trimmed is on the medium and survives a power cut: any thread. Behind open() that is
  // all there is.
  virtual Position synced() const = 0;

  // One record, in one piece: it is in the kernel's page cache when this returns kOk. `*position` (where not null) is
  // where it starts. With Sync::kAlways it is on the medium before this returns.
  virtual AppendResult append(const MessageView& record, Position* position) = 0;
  virtual AppendResult append(const CursorRecord& record, Position* position) = 0;
  virtual AppendResult append(const CommandRecord& record, Position* position) = 0;
  virtual AppendResult append(const ParkedRecord& record, Position* position) = 0;
  virtual AppendResult append(const ResolvedRecord& record, Position* position) = 0;

  // The last failure's sentence, for the log. Append side only.
  virtual const std::string& last_error() const = 0;

  virtual void trim(Position up_to) = 0;  // see invariant 4; never the segment that is written to
  virtual int sync_now() = 0;             // errno or 0

  // A reader that starts at `from`, which is a record's position, begin(), end() or an earlier reader's position(). It
  // outlives neither the journal nor a trim() above its own position. The first next() answers kCorrupt where `from`
  // lies in front of begin() and something is missing between, or behind end() (this folder is an older copy): it then
  // goes on at begin() or end().
  virtual std::unique_ptr<JournalReader> read(Position from) = 0;
};

class JournalReader {
 public:
  virtual ~JournalReader() = default;
  enum class Result {
    kRecord,   // *record and *position are filled
    kEnd,      // nothing more now; a later call may find more
    kCorrupt,  // bytes that no append() wrote, in front of records that are whole: error() says where. Goes on behind
               // them.
  };
  // `*record` may be one of an earlier call: its memory is used again.
  virtual Result next(Record* record, Position* position) = 0;
  // Where the next record is looked for: what a checkpoint holds.
  virtual Position position() const = 0;
  virtual const std::string& error() const = 0;  // a sentence, after kCorrupt
};

}  // namespace chat
