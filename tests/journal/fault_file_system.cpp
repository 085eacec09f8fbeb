#include "tests/journal/fault_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace chat {
namespace {

constexpr std::size_t kPageBytes = 512;  // small, so that small journals have several

}  // namespace

// What a file and its keeper share; under the disk's mutex.
struct FaultAppended {
  explicit FaultAppended(std::shared_ptr<FaultFileSystem::Content> of)
      : content(std::move(of)), end(content->seen.size()) {}
  const std::shared_ptr<FaultFileSystem::Content> content;
  std::size_t end;
  bool longer = false;
};

class FaultFileKeeper : public FileKeeper {
 public:
  FaultFileKeeper(FaultFileSystem& disk, std::string path, int epoch, std::shared_ptr<FaultAppended> appended)
      : disk_(disk), path_(std::move(path)), epoch_(epoch), appended_(std::move(appended)) {}

  ~FaultFileKeeper() override { finish(); }

  int open() override {
    std::lock_guard lock(disk_.mutex_);
    if (open_) return 0;
    if (epoch_ != disk_.epoch_) return EBADF;
    if (disk_.keeper_error_ != 0) {
      ++disk_.injected_;
      return disk_.keeper_error_;
    }
    const auto there = disk_.names_.find(path_);
    if (there == disk_.names_.end()) return ENOENT;
    if (there->second != appended_->content) return ESTALE;
    open_ = true;
    return 0;
  }

  int sync() override {
    if (const int error = open(); error != 0) return error;
    std::lock_guard lock(disk_.mutex_);
    return disk_.sync(epoch_, *appended_->content);
  }

  bool prepare(std::uint64_t /*bytes*/, std::uint64_t /*size_max*/) override { return false; }

  void finish() override {
    std::lock_guard lock(disk_.mutex_);
    if (epoch_ == disk_.epoch_ && appended_->longer) appended_->content->seen.resize(appended_->end);
    appended_->longer = false;
  }

 private:
  FaultFileSystem& disk_;
  const std::string path_;
  const int epoch_;
  const std::shared_ptr<FaultAppended> appended_;
  bool open_ = false;
};

class FaultFile : public File {
 public:
  FaultFile(FaultFileSystem& disk, std::string path, std::shared_ptr<FaultFileSystem::Content> content)
      : disk_(disk),
        path_(std::move(path)),
        appended_(std::make_shared<FaultAppended>(std::move(content))),
        epoch_(disk.epoch_) {}

  int append(std::string_view data) override {
    std::lock_guard lock(disk_.mutex_);
    if (epoch_ != disk_.epoch_) return EBADF;
    if (disk_.append_error_ != 0) {
      ++disk_.injected_;
      put(data.substr(0, disk_.append_keep_));
      return std::exchange(disk_.append_error_, 0);
    }
    std::string& seen = appended_->content->seen;
    const std::uint64_t used = disk_.used();
    const std::uint64_t room = (disk_.room_ > used ? disk_.room_ - used : 0) + seen.size() - appended_->end;
    if (data.size() > room) {
      ++disk_.injected_;
      put(data.substr(0, static_cast<std::size_t>(room)));
      return ENOSPC;
    }
    put(data);
    appended_->end += data.size();
    if (disk_.prepared_ > 0 && room > data.size() + disk_.prepared_) {
      appended_->longer = true;
      seen.resize(std::max<std::size_t>(seen.size(), appended_->end + disk_.prepared_));
    }
    return 0;
  }

  int read(std::uint64_t offset, char* to, std::size_t size, std::size_t* got) override {
    std::lock_guard lock(disk_.mutex_);
    *got = 0;
    if (epoch_ != disk_.epoch_) return EBADF;
    const std::string& bytes = appended_->content->seen;
    if (path_ == disk_.read_path_ && offset < disk_.read_to_ && offset + size > disk_.read_from_) {
      ++disk_.injected_;
      return EIO;
    }
    if (offset >= bytes.size()) return 0;
    *got = std::min<std::size_t>(size, bytes.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), *got, to);
    return 0;
  }

  int truncate(std::uint64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    if (epoch_ != disk_.epoch_) return EBADF;
    if (disk_.truncate_error_ != 0) {
      ++disk_.injected_;
      return std::exchange(disk_.truncate_error_, 0);
    }
    appended_->content->seen.resize(static_cast<std::size_t>(size));
    appended_->end = static_cast<std::size_t>(size);
    return 0;
  }

  int sync() override {
    std::lock_guard lock(disk_.mutex_);
    return disk_.sync(epoch_, *appended_->content);
  }

  std::uint64_t prepared() const override { return 0; }

  std::shared_ptr<FileKeeper> keeper(std::string path) override {
    return std::make_shared<FaultFileKeeper>(disk_, std::move(path), epoch_, appended_);
  }

 private:
  // At the end of what was appended, over the zeros that stand there.
  void put(std::string_view data) {
    std::string& seen = appended_->content->seen;
    seen.resize(std::max(seen.size(), appended_->end + data.size()));
    std::copy(data.begin(), data.end(), seen.begin() + static_cast<std::ptrdiff_t>(appended_->end));
  }

  FaultFileSystem& disk_;
  const std::string path_;
  const std::shared_ptr<FaultAppended> appended_;
  const int epoch_;
};

class FaultLock : public FolderLock {
 public:
  explicit FaultLock(FaultFileSystem& disk) : disk_(disk), epoch_(disk.epoch_) {}
  ~FaultLock() override {
    std::lock_guard lock(disk_.mutex_);
    if (epoch_ == disk_.epoch_) disk_.locked_ = false;
  }

 private:
  FaultFileSystem& disk_;
  const int epoch_;
};

int FaultFileSystem::open(const std::string& path, Mode mode, std::unique_ptr<File>* file, std::uint64_t* size) {
  std::lock_guard lock(mutex_);
  if (dead_) return EIO;
  if (mode == Mode::kRead && path == open_path_) {
    ++injected_;
    return open_error_;
  }
  const auto there = names_.find(path);
  if (mode == Mode::kCreate) {
    if (there != names_.end()) return EEXIST;
    unsynced_.push_back(names_);
    names_[path] = std::make_shared<Content>();
  } else if (there == names_.end()) {
    return ENOENT;
  }
  *file = std::make_unique<FaultFile>(*this, path, names_[path]);
  if (size != nullptr) *size = names_[path]->seen.size();
  return 0;
}

int FaultFileSystem::sync(int epoch, Content& content) {
  if (epoch != epoch_) return EBADF;
  if (sync_error_ != 0) {
    ++injected_;
    return std::exchange(sync_error_, 0);
  }
  content.medium = content.seen;
  return 0;
}

int FaultFileSystem::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (dead_) return EIO;
  if (!names_.contains(path)) return ENOENT;
  unsynced_.push_back(names_);
  names_.erase(path);
  return 0;
}

int FaultFileSystem::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (dead_) return EIO;
  if (!names_.contains(from)) return ENOENT;
  unsynced_.push_back(names_);
  names_[to] = names_[from];
  names_.erase(from);
  return 0;
}

int FaultFileSystem::list(const std::string& folder, std::vector<std::string>* names) {
  std::lock_guard lock(mutex_);
  if (dead_) return EIO;
  names->clear();
  for (const auto& [path, content] : names_) {
    if (path.starts_with(folder + "/")) names->push_back(path.substr(folder.size() + 1));
  }
  return 0;
}

int FaultFileSystem::make_folder(const std::string& /*path*/) {
  return 0;
}

int FaultFileSystem::sync_folder(const std::string& /*path*/) {
  std::lock_guard lock(mutex_);
  if (dead_) return EIO;
  unsynced_.clear();
  return 0;
}

int FaultFileSystem::lock_folder(const std::string& /*path*/, std::unique_ptr<FolderLock>* lock) {
  {
    std::lock_guard guard(mutex_);
    if (dead_) return EIO;
    if (std::exchange(locked_, true)) return EWOULDBLOCK;
  }
  *lock = std::make_unique<FaultLock>(*this);
  return 0;
}

void FaultFileSystem::fail_append(int error, std::size_t keep) {
  std::lock_guard lock(mutex_);
  append_error_ = error;
  append_keep_ = keep;
}

void FaultFileSystem::fail_keepers(int error) {
  std::lock_guard lock(mutex_);
  keeper_error_ = error;
}

void FaultFileSystem::fail_truncate(int error) {
  std::lock_guard lock(mutex_);
  truncate_error_ = error;
}

void FaultFileSystem::fail_sync(int error) {
  std::lock_guard lock(mutex_);
  sync_error_ = error;
}

void FaultFileSystem::fail_read(const std::string& path, std::uint64_t from, std::uint64_t to) {
  std::lock_guard lock(mutex_);
  read_path_ = path;
  read_from_ = from;
  read_to_ = to;
}

void FaultFileSystem::fail_open(const std::string& path, int error) {
  std::lock_guard lock(mutex_);
  open_path_ = path;
  open_error_ = error;
}

void FaultFileSystem::set_room(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  room_ = bytes;
}

void FaultFileSystem::prepare_behind_each_append(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  prepared_ = bytes;
}

void FaultFileSystem::clear_faults() {
  std::lock_guard lock(mutex_);
  append_error_ = truncate_error_ = sync_error_ = keeper_error_ = open_error_ = 0;
  read_path_.clear();
  open_path_.clear();
  room_ = ~0ULL;
}

void FaultFileSystem::kill() {
  std::lock_guard lock(mutex_);
  ++epoch_;
  dead_ = true;
  locked_ = false;
}

void FaultFileSystem::start() {
  std::lock_guard lock(mutex_);
  dead_ = false;
}

void FaultFileSystem::power_cut(std::mt19937_64& random) {
  kill();
  std::lock_guard lock(mutex_);
  // Names: the changes up to an arbitrary one happened.
  if (!unsynced_.empty()) {
    const std::size_t happened = random() % (unsynced_.size() + 1);
    if (happened < unsynced_.size()) names_ = unsynced_[happened];
  }
  unsynced_.clear();
  std::vector<Content*> contents;
  for (const auto& [path, content] : names_) contents.push_back(content.get());
  for (Content* content : contents) {
    // Bytes: the file has some length between the old and the new; each page that differs came out or is what it was,
    // zeros behind its end.
    std::string& medium = content->medium;
    const std::string& seen = content->seen;
    const std::size_t shorter = std::min(medium.size(), seen.size());
    const std::size_t longer = std::max(medium.size(), seen.size());
    std::string after = medium;
    after.resize(shorter + random() % (longer - shorter + 1), '\0');
    const std::size_t both = std::min(after.size(), seen.size());
    const auto end = after.begin() + static_cast<std::ptrdiff_t>(both);
    const auto differs = std::mismatch(after.begin(), end, seen.begin()).first - after.begin();
    for (auto at = static_cast<std::size_t>(differs); at < both;) {
      const std::size_t step = std::min(both - at, kPageBytes - at % kPageBytes);
      if (random() % 3 != 0) after.replace(at, step, seen, at, step);
      at += step;
    }
    medium = after;
    content->seen = after;
  }
}

std::string FaultFileSystem::content(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto there = names_.find(path);
  return there == names_.end() ? "" : there->second->seen;
}

void FaultFileSystem::set_content(const std::string& path, const std::string& bytes) {
  std::lock_guard lock(mutex_);
  names_[path] = std::make_shared<Content>(Content{bytes, bytes});
}

std::vector<std::string> FaultFileSystem::paths() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, content] : names_) paths.push_back(path);
  return paths;
}

std::uint64_t FaultFileSystem::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, content] : names_) bytes += content->seen.size();
  return bytes;
}

}  // namespace chat
