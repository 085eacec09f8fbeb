#include "plugin/journal/syncer.h"

#include <algorithm>
#include <cerrno>

namespace chat {
namespace {

// Of getting at a file: nothing was tried yet, so that nothing is lost by trying again.
bool passing(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM;
}

}  // namespace

void Syncer::add(Position base, std::shared_ptr<FileKeeper> keeper, bool new_in_folder) {
  std::lock_guard lock(mutex_);
  files_.push_back({base, std::move(keeper)});
  folder_changed_ = folder_changed_ || new_in_folder;
}

std::shared_ptr<FileKeeper> Syncer::appended_to() {
  std::lock_guard lock(mutex_);
  return files_.back().keeper;
}

void Syncer::forget(Position base) {
  std::shared_ptr<FileKeeper> closed_behind_the_lock;
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const Unsynced& u) { return u.base == base; });
  if (found == files_.end() || found + 1 == files_.end()) return;
  closed_behind_the_lock = std::move(found->keeper);
  files_.erase(found);
}

bool Syncer::forgotten(Position base) {
  std::lock_guard lock(mutex_);
  return std::none_of(files_.begin(), files_.end(), [&](const Unsynced& u) { return u.base == base; });
}

int Syncer::sync(Position end) {
  std::lock_guard only(one_at_a_time_);
  if (failed_ != 0) return failed_;
  std::vector<Unsynced> files;
  bool folder = false;
  {
    std::lock_guard lock(mutex_);
    if (end <= synced_ && files_.size() == 1 && !folder_changed_) return 0;
    files = files_;
    folder = folder_changed_;
  }
  for (const Unsynced& unsynced : files) {
    if (const int error = unsynced.keeper->open(); error != 0) {
      if (forgotten(unsynced.base)) continue;  // and so removed, perhaps
      return passing(error) ? error : failed_ = error;
    }
    if (const int error = unsynced.keeper->sync(); error != 0) return failed_ = error;
  }
  if (const int error = sync_folder_if(folder); error != 0) return error;
  reach(end);
  std::lock_guard lock(mutex_);
  // By name, and not by count: some may have been forgotten meanwhile.
  std::erase_if(files_, [&](const Unsynced& u) { return u.base < files.back().base; });
  return 0;
}

int Syncer::sync_appended(File& file, Position end) {
  std::lock_guard only(one_at_a_time_);
  if (failed_ != 0) return failed_;
  if (const int error = file.sync(); error != 0) return failed_ = error;
  bool folder = false;
  {
    std::lock_guard lock(mutex_);
    folder = folder_changed_;
    files_.erase(files_.begin(), files_.end() - 1);
  }
  if (const int error = sync_folder_if(folder); error != 0) return error;
  reach(end);
  return 0;
}

// Noted in front of the sync: a name that comes later is noted again.
int Syncer::sync_folder_if(bool changed) {
  if (!changed) return 0;
  {
    std::lock_guard lock(mutex_);
    folder_changed_ = false;
  }
  if (const int error = file_system_.sync_folder(folder_); error != 0) {
    if (!passing(error)) return failed_ = error;
    std::lock_guard lock(mutex_);
    folder_changed_ = true;
    return error;
  }
  return 0;
}

void Syncer::reach(Position end) {
  if (end > synced_) synced_.store(end, std::memory_order_release);
}

void Syncer::close() {
  std::vector<Unsynced> closed_behind_the_lock;
  std::lock_guard lock(mutex_);
  closed_behind_the_lock.swap(files_);
}

}  // namespace chat
