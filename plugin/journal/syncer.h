// Brings what was appended from the page cache to the medium, on whichever thread asks for it.
//
// Threads: add() on the append side, which never waits for a sync() that is under way; the others on any.
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

  // `file`, of the segment at `base`, is appended to from now on, and the one before it no more. A file that is new to
  // its folder changes the folder too.
  void add(Position base, std::shared_ptr<File> file, bool new_in_folder);

  std::shared_ptr<File> appended_to();

  // What the segment at `base` holds need not reach the medium any more: it was trimmed. Without this a journal that
  // never syncs would hold the space of every segment it ever had, removed or not. Not for the one that is appended to.
  void forget(Position base);

  // Everything that was appended before the call, and not forgotten, is on the medium when it answers 0, up to `end` at
  // least. Does nothing
  // where an earlier call got that far. Once it failed it fails for ever: the kernel reports an error once, so that a
  // later success means nothing.
  int sync(Position end);

  // Everything below that was not forgotten is on the medium.
  Position synced() const { return synced_.load(std::memory_order_acquire); }

 private:
  FileSystem& file_system_;
  const std::string folder_;

  std::mutex one_at_a_time_;  // held across disk work; taken before mutex_
  int failed_ = 0;            // guarded by one_at_a_time_, as is writing the next
  std::atomic<Position> synced_;

  struct Unsynced {
    Position base = 0;
    std::shared_ptr<File> file;
  };

  std::mutex mutex_;             // never held across disk work
  std::vector<Unsynced> files_;  // oldest first; the last one is appended to
  bool folder_changed_ = false;
};

}  // namespace chat
