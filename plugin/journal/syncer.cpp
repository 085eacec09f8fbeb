#include "plugin/journal/syncer.h"

namespace chat {

void Syncer::add(std::shared_ptr<File> file, bool new_in_folder) {
  std::lock_guard lock(mutex_);
  files_.push_back(std::move(file));
  folder_changed_ = folder_changed_ || new_in_folder;
}

int Syncer::sync(Position end) {
  std::lock_guard only(one_at_a_time_);
  if (failed_ != 0) return failed_;
  std::vector<std::shared_ptr<File>> files;
  bool folder = false;
  {
    std::lock_guard lock(mutex_);
    if (end <= synced_ && files_.size() == 1 && !folder_changed_) return 0;
    files = files_;
    folder = folder_changed_;
    folder_changed_ = false;
  }
  for (const auto& file : files) {
    if (const int error = file->sync(); error != 0) return failed_ = error;
  }
  if (folder) {
    if (const int error = file_system_.sync_folder(folder_); error != 0) return failed_ = error;
  }
  if (end > synced_) synced_.store(end, std::memory_order_release);
  std::lock_guard lock(mutex_);
  files_.erase(files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(files.size() - 1));
  return 0;
}

}  // namespace chat
