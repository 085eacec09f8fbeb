// The seam between the journal and the disk. Production uses posix_file(); tests put faults in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

// Looks after a file that another thread appends to, with a descriptor of its own: the two threads may have different
// tables of descriptors (plugin/threads/descriptors.h), in which one number is two files. So it is used, and destroyed,
// by threads of one table, and asks for the file by name. Methods answer 0 or an errno value and never throw.
class FileKeeper {
 public:
  virtual ~FileKeeper() = default;  // as finish()
  // Whether it has its descriptor; if not, tries to get it: 0, or why not. The others do that themselves.
  virtual int open() = 0;
  virtual int sync() = 0;  // fdatasync of what was appended; safe beside append()
  // Makes the next `bytes` behind the end ready, so that append() is a copy in memory until they are used up; the file
  // is not made longer than `size_max`, rounded up to a page. Safe beside append() and truncate(). False: not now, or
  // never; append() goes the long way, and hears why if it matters.
  virtual bool prepare(std::uint64_t bytes, std::uint64_t size_max) = 0;
  // Cuts what was made ready and not used. Nothing is appended to the file any more.
  virtual void finish() = 0;
};

// One open file, used by one thread but for read(). Methods answer 0 or an errno value and never throw.
class File {
 public:
  virtual ~File() = default;
  // Puts all of `data` at the end of what was appended so far (at first, of the file), or answers why not; then an
  // unknown part of it may be there. The file may be longer than that, by zeros: see FileKeeper::prepare().
  virtual int append(std::string_view data) = 0;
  // Reads up to `size` bytes at `offset`; `*got` is less at the end of the file. Safe beside append() from another
  // thread.
  virtual int read(std::uint64_t offset, char* to, std::size_t size, std::size_t* got) = 0;
  virtual int truncate(std::uint64_t size) = 0;  // append() goes on there
  virtual int sync() = 0;                        // fdatasync
  // Bytes that are ready behind the end: see FileKeeper::prepare().
  virtual std::uint64_t prepared() const = 0;
  // `path` is where the file is, from now on. The keeper may outlive this object.
  virtual std::shared_ptr<FileKeeper> keeper(std::string path) = 0;
};

// Held as long as the object lives.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  enum class Mode { kCreate, kAppend, kRead };  // kCreate fails with EEXIST where the file is there; mode 0600
  // `*size` (where not null) is the file's size in bytes.
  virtual int open(const std::string& path, Mode mode, std::unique_ptr<File>* file, std::uint64_t* size) = 0;
  virtual int remove(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int list(const std::string& folder, std::vector<std::string>* names) = 0;  // names only, unsorted
  virtual int make_folder(const std::string& path) = 0;                              // 0700; no error where it is there
  virtual int sync_folder(const std::string& path) = 0;
  virtual int lock_folder(const std::string& path,
                          std::unique_ptr<FolderLock>* lock) = 0;  // EWOULDBLOCK: another holds it
};

FileSystem& posix_file_system();

}  // namespace chat
