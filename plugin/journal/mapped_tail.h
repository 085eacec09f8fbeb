// The stretch behind a file's end, made ready ahead of time so that appending is a copy in memory: the space on the
// disk is taken, the file is longer by it (zeros), and its pages are in the page cache and mapped for writing. What is
// copied there is in the page cache as if write() had put it there, and survives the process likewise; a write() of 300
// bytes takes about a microsecond of a busy broker's thread, a copy some fifty nanoseconds (docs/benchmarks.md, "What a
// publish costs").
//
// Where the kernel or the file system does not do it (no fallocate, no MADV_POPULATE_WRITE, which is Linux 5.14's, no
// shared mappings), nothing is ever ready.
//
// Threads: put(), ready() and cut() on the append side; prepare() and unmap() on one other, as finish(), when nothing
// is put any more. A put() asks the kernel for nothing unless it has begun to write the page to the disk meanwhile: the
// first put() into such a page is a page fault, in which the file system may make it wait as it makes a write() wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace chat {

class MappedTail {
 public:
  // A BusErrorGuard outlives it.
  MappedTail() = default;
  ~MappedTail() { finish(); }
  MappedTail(const MappedTail&) = delete;
  MappedTail& operator=(const MappedTail&) = delete;

  // Up to which offset of the file bytes may be put, and are ready.
  std::uint64_t ready() const { return ready_.load(std::memory_order_acquire); }

  // Copies to `offset`, which the caller has found ready from there to the data's end. False: the kernel had no page (a
  // failing disk, a file cut by another hand); the bytes have to be written in another way, and nothing is ready any
  // more.
  bool put(std::uint64_t offset, std::string_view data);

  // Nothing behind `size` is ready: the file was cut there just now.
  void cut(std::uint64_t size);

  // Makes [end, end + bytes) ready, and again what a sync has meanwhile write-protected of it; never beyond `size_max`
  // rounded up to a page, the same in each call, as the file behind `fd` is. `end` is where the append side stands, or
  // stood. False: not now, or never.
  bool prepare(int fd, std::uint64_t end, std::uint64_t bytes, std::uint64_t size_max);

  // In front of a sync. The kernel write-protects what is mapped page by page as it writes it, and interrupts the
  // append side's processor for each; for all that is taken out of the mapping at once, once. The append side meets a
  // page fault at each page that it comes to before the next prepare(), as it would at one that is protected.
  void unmap();

  // Lets go of the mapping, and leaves the file as long as it is. Nothing is ready ever again.
  void finish();

 private:
  bool map(int fd, std::uint64_t size_max);

  std::atomic<std::uint64_t> ready_{0};

  // prepare()'s alone, but for at_, which the append side reads behind ready_.
  char* at_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t released_ = 0;  // pages in front are no longer ours to hold
  bool able_ = true;

  std::mutex mutex_;        // of changing ready_; never held across disk work
  bool lost_ = false;       // put() failed, or finish() was called
  std::uint64_t cuts_ = 0;  // how often ready_ was taken back
};

}  // namespace chat
