// Brings what was appended from the page cache to the medium, on whichever thread asks for it.
//
// Threads: add() and sync_appended() on the append side; add() never waits for a sync that is under way. The others on
// any, but see FileKeeper: sync(), forget() and close() on threads of one table of descriptors.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugin/journal/file.h"
#include "storage/types.h"

namespace chat {

class Syncer {
 public:
  // `file_system` outlives it. Everything below `synced` is on the medium already.
  Syncer(FileSystem& file_system, std::string folder, Position synced)
      : file_system_(file_system), folder_(std::move(folder)), synced_(synced) {}

  // The file of the segment at `base`, which `keeper` looks after, is appended to from now on, and the one before it no
  // more. A file that is new to its folder changes the folder too.
  void add(Position base, std::shared_ptr<FileKeeper> keeper, bool new_in_folder);

  std::shared_ptr<FileKeeper> appended_to();

  // What the segment at `base` holds need not reach the medium any more: it was trimmed. Without this a journal that
  // never syncs would hold the space of every segment it ever had, removed or not. Not for the one that is appended to.
  void forget(Position base);

  // Everything that was appended before the call, and not forgotten, is on the medium when it answers 0, up to `end` at
  // least. Does nothing where an earlier call got that far. Once the disk failed it fails for ever: the kernel reports
  // an error once, so that a later success means nothing. Too many open files or too little memory for getting at a
  // file are told too, and may be over at the next call.
  int sync(Position end);
  // The same where each record is synced before the next: by `file`, which is the one that is appended to.
  int sync_appended(File& file, Position end);
  // What fails it for ever, or 0.
  int failed() const { return failed_; }
  // Lets go of all files. The last call.
  void close();

  // Everything below that was not forgotten is on the medium.
  Position synced() const { return synced_.load(std::memory_order_acquire); }

 private:
  FileSystem& file_system_;
  const std::string folder_;

  std::mutex one_at_a_time_;    // held across disk work; taken before mutex_
  std::atomic<int> failed_{0};  // written under one_at_a_time_, as is the next
  std::atomic<Position> synced_;

  struct Unsynced {
    Position base = 0;
    std::shared_ptr<FileKeeper> keeper;
  };
  bool forgotten(Position base);
  int sync_folder_if(bool changed);
  void reach(Position end);

  std::mutex mutex_;             // never held across disk work
  std::vector<Unsynced> files_;  // oldest first; the last one is appended to
  bool folder_changed_ = false;
};

}  // namespace chat
