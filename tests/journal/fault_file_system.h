// A disk in memory that fails on request and can lose power. What a program sees (the page cache) and what the medium
// has are kept apart: sync moves the one to the other, power_cut() throws away what was not moved, or an arbitrary part
// of it.
//
// Threads: any; one mutex round everything.
#pragma once

#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "plugin/journal/file.h"

namespace chat {

class FaultFileSystem : public FileSystem {
 public:
  struct Content {
    std::string seen;    // the page cache
    std::string medium;  // of this file, had it a name there
  };

  // FileSystem
  int open(const std::string& path, Mode mode, std::unique_ptr<File>* file, std::uint64_t* size) override;
  int remove(const std::string& path) override;
  int rename(const std::string& from, const std::string& to) override;
  int list(const std::string& folder, std::vector<std::string>* names) override;
  int make_folder(const std::string& path) override;
  int sync_folder(const std::string& path) override;
  int lock_folder(const std::string& path, std::unique_ptr<FolderLock>* lock) override;

  // Faults. Each counts what it did in `injected`.
  void fail_append(int error, std::size_t keep);  // the next append writes `keep` bytes and fails; once
  void fail_truncate(int error);                  // the next truncate; once
  void fail_sync(int error);                      // the next file sync; once
  void fail_read(const std::string& path, std::uint64_t from, std::uint64_t to);  // always, until clear_faults()
  void fail_open(const std::string& path, int error);                             // likewise, kRead only
  void fail_keepers(int error);        // files that are not open yet can't be; always, until clear_faults()
  void set_room(std::uint64_t bytes);  // appends beyond so many bytes in all files are ENOSPC, writing what fits
  void clear_faults();
  // What FileKeeper::prepare() does to a file, at moments that a seed decides and not a thread: zeros behind each
  // append, where there is room for them, that the next one overwrites. Not a fault, and stays. FileKeeper::prepare()
  // itself does nothing here.
  void prepare_behind_each_append(std::size_t bytes);
  int injected() const { return injected_; }

  // The process dies: nothing that it still tries has an effect (destructors run in a test, not in a crash), the page
  // cache stays. start() begins the next process.
  void kill();
  void start();
  // The machine dies: likewise, and of what was not synced an arbitrary part is lost, pages in any order, names in
  // order.
  void power_cut(std::mt19937_64& random);

  // For tests that look at or damage files.
  std::string content(const std::string& path) const;
  void set_content(const std::string& path, const std::string& bytes);  // on the medium as well
  std::vector<std::string> paths() const;

 private:
  friend class FaultFile;
  friend class FaultFileKeeper;
  friend class FaultLock;
  using Names = std::map<std::string, std::shared_ptr<Content>>;

  std::uint64_t used() const;
  int sync(int epoch, Content& content);  // both below the mutex

  mutable std::mutex mutex_;
  int epoch_ = 0;  // of the process: files opened in an earlier one are dead
  bool locked_ = false;
  bool dead_ = false;
  Names names_;
  std::vector<Names> unsynced_;  // what the folder was before each change since its last sync, oldest first

  int append_error_ = 0;
  std::size_t append_keep_ = 0;
  int truncate_error_ = 0;
  int sync_error_ = 0;
  int keeper_error_ = 0;
  std::string read_path_;
  std::uint64_t read_from_ = 0;
  std::uint64_t read_to_ = 0;
  std::string open_path_;
  int open_error_ = 0;
  std::uint64_t room_ = ~0ULL;
  std::size_t prepared_ = 0;
  int injected_ = 0;
};

}  // namespace chat
