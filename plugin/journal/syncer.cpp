#include "plugin/journal/syncer.h"

#include <algorithm>

namespace chat {

void Syncer::add(Position base, std::shared_ptr<File> file, bool new_in_folder) {
  std::lock_guard lock(mutex_);
  files_.push_back({base, std::move(file)});
  folder_changed_ = folder_changed_ || new_in_folder;
}

std::shared_ptr<File> Syncer::appended_to() {
  std::lock_guard lock(mutex_);
  return files_.back().file;
}

void Syncer::forget(Position base) {
  std::shared_ptr<File> closed_behind_the_lock;
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const Unsynced& u) { return u.base == base; });
  if (found == files_.end() || found + 1 == files_.end()) return;
  closed_behind_the_lock = std::move(found->file);
  files_.erase(found);
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
    folder_changed_ = false;
  }
  for (const Unsynced& unsynced : files) {
    if (const int error = unsynced.file->sync(); error != 0) return failed_ = error;
  }
  if (folder) {
    if (const int error = file_system_.sync_folder(folder_); error != 0) return failed_ = error;
  }
  if (end > synced_) synced_.store(end, std::memory_order_release);
  std::lock_guard lock(mutex_);
  // By name, and not by count: some may have been forgotten meanwhile.
  std::erase_if(files_, [&](const Unsynced& u) { return u.base < files.back().base; });
  return 0;
}

}  // namespace chat
