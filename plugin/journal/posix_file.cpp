// The real disk behind plugin/journal/file.h.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "plugin/journal/file.h"
#include "plugin/journal/mapped_tail.h"

namespace chat {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// What a file and its keeper share.
struct Appended {
  std::atomic<std::uint64_t> end{0};  // of what was appended; written by the append side, read by the keeper
  MappedTail tail;
  dev_t device = 0;
  ino_t inode = 0;
};

class PosixFileKeeper : public FileKeeper {
 public:
  PosixFileKeeper(std::string path, std::shared_ptr<Appended> appended)
      : path_(std::move(path)), appended_(std::move(appended)) {}

  ~PosixFileKeeper() override { finish(); }

  int open() override {
    const std::lock_guard lock(mutex_);
    return open_once();
  }

  int sync() override {
    {
      const std::lock_guard lock(mutex_);
      if (const int error = open_once(); error != 0) return error;
      appended_->tail.unmap();
    }
    return ::fdatasync(fd_.get()) == 0 ? 0 : errno;
  }

  bool prepare(std::uint64_t bytes, std::uint64_t size_max) override {
    const std::lock_guard lock(mutex_);
    if (open_once() != 0) return false;
    longer_ = true;
    return appended_->tail.prepare(fd_.get(), appended_->end.load(std::memory_order_relaxed), bytes, size_max);
  }

  void finish() override {
    const std::lock_guard lock(mutex_);
    if (!longer_) return;
    longer_ = false;
    const std::uint64_t end = appended_->end.load(std::memory_order_relaxed);
    appended_->tail.finish();
    struct stat st {};
    // Not made longer where another hand has cut it. Where this fails, the next open() of the journal cuts the zeros.
    if (::fstat(fd_.get(), &st) == 0 && static_cast<std::uint64_t>(st.st_size) > end) {
      (void)!::ftruncate(fd_.get(), static_cast<off_t>(end));
    }
  }

 private:
  int open_once() {
    if (fd_.get() >= 0) return 0;
    Descriptor fd(::open(path_.c_str(), O_CLOEXEC | O_RDWR));
    if (fd.get() < 0) return errno;
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return errno;
    if (st.st_dev != appended_->device || st.st_ino != appended_->inode) return ESTALE;  // another file by that name
    fd_.reset(fd.release());
    return 0;
  }

  const std::string path_;
  const std::shared_ptr<Appended> appended_;
  std::mutex mutex_;  // of the rest; not held across a sync
  Descriptor fd_{-1};
  bool longer_ = false;  // than what was appended, perhaps
};

class PosixFile : public File {
 public:
  PosixFile(int fd, const struct stat& st) : fd_(fd) {
    appended_->end = static_cast<std::uint64_t>(st.st_size);
    appended_->device = st.st_dev;
    appended_->inode = st.st_ino;
  }

  int append(std::string_view data) override {
    const std::uint64_t at = appended_->end.load(std::memory_order_relaxed);
    if (at + data.size() > appended_->tail.ready() || !appended_->tail.put(at, data)) {
      if (const int error = write(at, data); error != 0) return error;
    }
    appended_->end.store(at + data.size(), std::memory_order_relaxed);
    return 0;
  }

  int read(std::uint64_t offset, char* to, std::size_t size, std::size_t* got) override {
    *got = 0;
    while (*got < size) {
      const ssize_t n = ::pread(fd_.get(), to + *got, size - *got, static_cast<off_t>(offset + *got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) break;
      *got += static_cast<std::size_t>(n);
    }
    return 0;
  }

  int truncate(std::uint64_t size) override {
    appended_->end.store(size, std::memory_order_relaxed);
    const int error = ::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
    appended_->tail.cut(size);  // behind it: what was made ready in front of it, or meanwhile, may be gone
    return error;
  }

  int sync() override { return ::fdatasync(fd_.get()) == 0 ? 0 : errno; }

  std::uint64_t prepared() const override {
    const std::uint64_t end = appended_->end.load(std::memory_order_relaxed);
    const std::uint64_t ready = appended_->tail.ready();
    return ready > end ? ready - end : 0;
  }

  std::shared_ptr<FileKeeper> keeper(std::string path) override {
    return std::make_shared<PosixFileKeeper>(std::move(path), appended_);
  }

 private:
  int write(std::uint64_t at, std::string_view data) {
    while (!data.empty()) {
      const ssize_t wrote = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(at));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return errno;
      // Short without an error: the next one names the reason.
      data.remove_prefix(static_cast<std::size_t>(wrote));
      at += static_cast<std::uint64_t>(wrote);
    }
    return 0;
  }

  const Descriptor fd_;
  const std::shared_ptr<Appended> appended_ = std::make_shared<Appended>();
};

class PosixFolderLock : public FolderLock {
 public:
  explicit PosixFolderLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;  // closing it gives the lock back
};

class PosixFileSystem : public FileSystem {
 public:
  int open(const std::string& path, Mode mode, std::unique_ptr<File>* file, std::uint64_t* size) override {
    int flags = O_CLOEXEC | O_RDONLY;
    if (mode == Mode::kCreate) flags = O_CLOEXEC | O_RDWR | O_CREAT | O_EXCL;
    if (mode == Mode::kAppend) flags = O_CLOEXEC | O_RDWR;
    Descriptor fd(::open(path.c_str(), flags, S_IRUSR | S_IWUSR));
    if (fd.get() < 0) return errno;
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return errno;
    if (size != nullptr) *size = static_cast<std::uint64_t>(st.st_size);
    *file = std::make_unique<PosixFile>(fd.release(), st);
    return 0;
  }

  int remove(const std::string& path) override { return ::unlink(path.c_str()) == 0 ? 0 : errno; }

  int rename(const std::string& from, const std::string& to) override {
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  }

  int list(const std::string& folder, std::vector<std::string>* names) override {
    names->clear();
    DIR* dir = ::opendir(folder.c_str());
    if (dir == nullptr) return errno;
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names->emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(dir);
    return error;
  }

  int make_folder(const std::string& path) override {
    if (::mkdir(path.c_str(), S_IRWXU) == 0) return 0;
    if (errno != EEXIST) return errno;
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return errno;
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
  }

  int sync_folder(const std::string& path) override {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    return ::fsync(fd.get()) == 0 ? 0 : errno;
  }

  int lock_folder(const std::string& path, std::unique_ptr<FolderLock>* lock) override {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return errno;
    *lock = std::make_unique<PosixFolderLock>(fd.release());
    return 0;
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace chat
