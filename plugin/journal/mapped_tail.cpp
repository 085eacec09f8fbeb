#include "plugin/journal/mapped_tail.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "plugin/journal/bus_error.h"
#include "plugin/journal/prefetch.h"

// Debian 12's libc headers have it; the value is the kernel's, for older ones.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace chat {
namespace {

std::uint64_t page_bytes() {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::uint64_t page_of(std::uint64_t offset) {
  return offset / page_bytes() * page_bytes();
}

}  // namespace

void MappedTail::finish() {
  {
    std::lock_guard lock(mutex_);
    lost_ = true;
    ready_.store(0, std::memory_order_relaxed);
  }
  if (at_ != nullptr) ::munmap(at_, mapped_);
  at_ = nullptr;
}

bool MappedTail::put(std::uint64_t offset, std::string_view data) {
  if (copy_to_file(at_ + offset, data)) {
    prefetch_to_write(at_ + offset + data.size(), data.size());  // the next one is likely to be as long
    return true;
  }
  // There are pages in the mapping now that are not the file's.
  std::lock_guard lock(mutex_);
  lost_ = true;
  ready_.store(0, std::memory_order_relaxed);
  return false;
}

void MappedTail::unmap() {
  const std::uint64_t to = std::min(ready(), mapped_);
  if (to > released_) ::madvise(at_ + released_, to - released_, MADV_DONTNEED);
}

void MappedTail::cut(std::uint64_t size) {
  std::lock_guard lock(mutex_);
  ++cuts_;
  if (ready_.load(std::memory_order_relaxed) > size) ready_.store(size, std::memory_order_relaxed);
}

bool MappedTail::map(int fd, std::uint64_t size_max) {
  if (at_ != nullptr) return true;
  const std::uint64_t bytes = page_of(size_max + page_bytes() - 1);
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return false;
  at_ = static_cast<char*>(at);
  mapped_ = bytes;
  return true;
}

bool MappedTail::prepare(int fd, std::uint64_t end, std::uint64_t bytes, std::uint64_t size_max) {
  if (!able_) return false;
  std::uint64_t cuts = 0;
  {
    std::lock_guard lock(mutex_);
    if (lost_) return false;
    cuts = cuts_;
  }
  able_ = map(fd, size_max);
  if (!able_ || end >= mapped_) return false;
  const std::uint64_t from = page_of(end);  // in the mapping: what lies behind it is somebody else's memory
  const std::uint64_t to = std::min(page_of(end + bytes + page_bytes() - 1), mapped_);
  const std::uint64_t behind = std::max(from, ready());
  if (to > behind && ::fallocate(fd, 0, static_cast<off_t>(behind), static_cast<off_t>(to - behind)) != 0) {
    // No room is for write() to say. Everything else will not change.
    able_ = errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EINTR;
    return false;
  }
  // Page by page: while the kernel makes one ready it holds the process's map of memory, which the broker's thread may
  // want to change (a malloc() that asks for more).
  for (std::uint64_t page = from; page < to; page += page_bytes()) {
    if (::madvise(at_ + page, page_bytes(), MADV_POPULATE_WRITE) != 0) {
      able_ = errno != EINVAL;
      return false;
    }
  }
  {
    std::lock_guard lock(mutex_);
    if (lost_) return false;
    if (cuts_ == cuts && to > ready_.load(std::memory_order_relaxed)) ready_.store(to, std::memory_order_release);
  }
  // What lies in front of the end stays in the page cache, but does not count as the broker's memory any more.
  if (from > released_) {
    ::madvise(at_ + released_, from - released_, MADV_DONTNEED);
    released_ = from;
  }
  return true;
}

}  // namespace chat
