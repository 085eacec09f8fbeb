#include "plugin/journal/journal.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

#include "plugin/journal/bus_error.h"
#include "plugin/journal/format.h"
#include "plugin/journal/layout.h"
#include "plugin/journal/preparer.h"
#include "plugin/journal/reader.h"
#include "plugin/journal/recovery.h"
#include "plugin/journal/state.h"
#include "plugin/journal/syncer.h"

namespace chat {
namespace {

// Trimming takes whole segments and never the last one: with at least this many there is always something to free.
constexpr std::uint64_t kSegmentsMin = 4;

using Clock = std::chrono::steady_clock;

bool disk_full(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

// Syncs that come more often than that would each write the same zeros again: nothing is made ready then.
std::uint64_t prepare_from(const JournalOptions& options) {
  const bool often = options.sync == JournalOptions::Sync::kInterval && options.interval < Preparer::kIntervalMin;
  return often ? Preparer::kNever : options.prepare_from;
}

class FileJournal : public Journal {
 public:
  FileJournal(const JournalOptions& options, FileSystem& file_system, std::unique_ptr<FolderLock> lock,
              Recovered found);
  ~FileJournal() override;

  const Uuid& id() const override { return id_; }
  Position begin() const override { return layout_.begin(); }
  Position end() const override { return end_.load(std::memory_order_acquire); }
  std::uint64_t bytes() const override {
    // In this order: what was trimmed had been appended before.
    const std::uint64_t trimmed = trimmed_bytes_.load(std::memory_order_acquire);
    return appended_bytes_.load(std::memory_order_relaxed) - trimmed;
  }
  std::uint64_t cut_bytes() const override { return cut_bytes_; }
  bool power_cut() const override { return power_cut_; }
  bool may_have_lost() const override { return may_have_lost_; }
  std::int64_t losses() const override { return losses_; }
  Position synced() const override { return syncer_.synced(); }

  AppendResult append(const MessageView& record, Position* position) override { return write(record, position); }
  AppendResult append(const CursorRecord& record, Position* position) override { return write(record, position); }
  AppendResult append(const CommandRecord& record, Position* position) override { return write(record, position); }
  AppendResult append(const ParkedRecord& record, Position* position) override { return write(record, position); }
  AppendResult append(const ResolvedRecord& record, Position* position) override { return write(record, position); }

  const std::string& last_error() const override { return last_error_; }
  void trim(Position up_to) override;
  int sync_now() override;
  std::unique_ptr<JournalReader> read(Position from) override {
    return std::make_unique<FileJournalReader>(file_system_, folder_, seal_, layout_, end_, from);
  }

 private:
  template <class T>
  AppendResult write(const T& record, Position* position);
  AppendResult roll(Position end);
  int new_file(const Segment& segment, std::unique_ptr<File>* file);
  // An atomic addition costs as much as the rest of append()'s own work, and nobody else adds.
  void count(std::uint64_t bytes) {
    appended_bytes_.store(appended_bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
  AppendResult refuse(std::string why);
  AppendResult broken(std::string why);
  void keep_up();  // the journal's own thread
  void run();
  void make_spare();
  void take_spare();
  std::string path_of(Position base) const { return folder_ + "/" + segment_name(base); }

  FileSystem& file_system_;
  const std::string folder_;
  const std::unique_ptr<FolderLock> lock_;
  const Uuid id_;
  const RecordSeal seal_;
  const std::uint64_t bytes_max_;
  const std::uint64_t segment_bytes_;
  const JournalOptions::Sync sync_;
  const std::chrono::milliseconds interval_;
  const std::uint64_t cut_bytes_;
  const bool power_cut_;
  const bool may_have_lost_;
  const std::int64_t losses_;

  Layout layout_;
  Syncer syncer_;
  std::atomic<Position> end_;
  // Of all files, ever; each is written by one side.
  std::atomic<std::uint64_t> appended_bytes_{0};
  std::atomic<std::uint64_t> trimmed_bytes_{0};
  std::atomic<int> sync_error_{0};  // of any fdatasync: the append side stops at its next call
  Preparer preparer_;
  const BusErrorGuard bus_errors_;  // of copies into the files

  // Append side only.
  std::unique_ptr<File> file_;
  std::shared_ptr<FileKeeper> keeper_;  // of file_
  std::unique_ptr<File> spare_;         // the file that the journal's thread has made for the next segment
  Position file_base_;
  std::uint64_t file_bytes_;
  std::string buffer_;
  std::string last_error_;
  bool broken_ = false;

  std::mutex mutex_;  // of what follows; never held across disk work
  std::condition_variable wake_;
  std::vector<std::shared_ptr<FileKeeper>> left_;  // of files that nothing is appended to any more
  bool spare_wanted_ = true;
  bool stop_ = false;
  std::atomic<bool> spare_made_{false};  // for the append side to open
  int synced_at_the_end_ = EIO;          // the journal's thread's last sync: errno or 0
  std::thread thread_;
};

FileJournal::FileJournal(const JournalOptions& options, FileSystem& file_system, std::unique_ptr<FolderLock> lock,
                         Recovered found)
    : file_system_(file_system),
      folder_(options.folder),
      lock_(std::move(lock)),
      id_(found.journal),
      seal_(found.journal),
      bytes_max_(options.bytes_max),
      segment_bytes_(std::min(options.segment_bytes, options.bytes_max / kSegmentsMin)),
      sync_(options.sync),
      interval_(options.interval),
      cut_bytes_(found.cut_bytes),
      power_cut_(found.power_cut),
      may_have_lost_(found.may_have_lost),
      losses_(found.losses),
      layout_(found.segments),
      syncer_(file_system, options.folder, found.end),
      end_(found.end),
      preparer_(prepare_from(options), segment_bytes_ + kSegmentHeaderBytes + kRecordHeaderBytes + kRecordBytesMax,
                found.end),
      file_(std::move(found.active)),
      keeper_(file_->keeper(folder_ + "/" + segment_name(found.segments.back().base))),
      file_base_(found.segments.back().base),
      file_bytes_(found.active_bytes) {
  std::uint64_t bytes = file_bytes_;
  for (std::size_t i = 0; i + 1 < found.segments.size(); ++i) bytes += found.segments[i].bytes;
  appended_bytes_ = bytes;
  syncer_.add(found.segments.back().base, keeper_, false);
  const auto begin = [this] {
    // The broker handles signals on its own thread: none may be delivered to this one.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  };
  if (options.aside) {
    options.aside(begin);
  } else {
    begin();
  }
}

FileJournal::~FileJournal() {
  {
    std::lock_guard lock(mutex_);
    left_.push_back(std::move(keeper_));
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (spare_ != nullptr || spare_made_) file_system_.remove(folder_ + "/" + kSpareName);
  // Who can't sync must not say that everything is on the medium.
  if (!broken_ && synced_at_the_end_ == 0) {
    write_state(file_system_, folder_, {id_, this_boot(), true, sync_ == JournalOptions::Sync::kAlways, losses_});
  }
}

template <class T>
AppendResult FileJournal::write(const T& record, Position* position) {
  if (broken_) return AppendResult::kBroken;
  if (const int error = sync_error_.load(std::memory_order_relaxed); error != 0) {
    return broken(failure("sync", folder_, error));
  }
  buffer_.assign(kRecordHeaderBytes, '\0');
  encode(record, &buffer_);
  if (buffer_.size() > kRecordHeaderBytes + kRecordBytesMax) {
    return refuse("a record of " + std::to_string(buffer_.size()) + " bytes is above the journal's bound");
  }
  const bool rolls = file_bytes_ >= segment_bytes_ && file_bytes_ > kSegmentHeaderBytes;
  const std::uint64_t more = buffer_.size() + (rolls ? kSegmentHeaderBytes : 0);
  if (bytes() + more > bytes_max_) {
    return refuse("journal " + folder_ + " is full: " + std::to_string(bytes()) + " of " + std::to_string(bytes_max_) +
                  " bytes");
  }
  const Position start = end_.load(std::memory_order_relaxed);
  if (rolls) {
    if (const AppendResult result = roll(start); result != AppendResult::kOk) return result;
  }
  seal_.close(start, &buffer_);
  if (const int error = file_->append(buffer_); error != 0) {
    const std::string why = failure("append to", path_of(file_base_), error);
    if (!disk_full(error)) return broken(why);
    if (const int again = file_->truncate(file_bytes_); again != 0) {
      return broken(why + "; then " + failure("truncate", folder_, again));
    }
    return refuse(why);
  }
  file_bytes_ += buffer_.size();
  count(buffer_.size());
  if (sync_ == JournalOptions::Sync::kAlways) {
    if (const int error = syncer_.sync_appended(*file_, start + buffer_.size()); error != 0)
      return broken(failure("sync", folder_, error));
  }
  end_.store(start + buffer_.size(), std::memory_order_release);
  // Without the lock: should it be missed by a thread that is just going to wait, that one wakes by itself soon.
  if (preparer_.asks_for_more(*file_)) wake_.notify_one();
  if (spare_made_.load(std::memory_order_relaxed)) take_spare();
  if (position != nullptr) *position = start;
  return AppendResult::kOk;
}

AppendResult FileJournal::roll(Position end) {
  const Segment next{end, end, end, kSegmentHeaderBytes, false};
  std::unique_ptr<File> file;
  if (const int error = new_file(next, &file); error != 0) {
    const std::string why = failure("make segment", path_of(end), error);
    return disk_full(error) || error == EMFILE || error == ENFILE ? refuse(why) : broken(why);
  }
  file_ = std::move(file);  // the keeper has the old one open, so that this is not its last close
  auto left = std::exchange(keeper_, file_->keeper(path_of(next.base)));
  // In front of the layout: once that has it, trim() may come for the one that was left, on another thread.
  syncer_.add(next.base, keeper_, true);
  layout_.roll(end, file_bytes_, next);
  file_base_ = next.base;
  file_bytes_ = kSegmentHeaderBytes;
  count(kSegmentHeaderBytes);
  {
    std::lock_guard lock(mutex_);
    left_.push_back(std::move(left));
    spare_wanted_ = true;
  }
  wake_.notify_one();
  return AppendResult::kOk;
}

// Soon behind the moment when it was made: who is out of descriptors by the time it is needed could not open it.
void FileJournal::take_spare() {
  if (spare_ != nullptr) return;
  std::unique_ptr<File> file;
  const int error = file_system_.open(folder_ + "/" + kSpareName, FileSystem::Mode::kAppend, &file, nullptr);
  if (error == EMFILE || error == ENFILE) return;  // the next append() tries again
  spare_ = std::move(file);
  spare_made_ = false;
}

// Takes the spare where there is one; else makes the file here and now.
int FileJournal::new_file(const Segment& segment, std::unique_ptr<File>* file) {
  if (spare_ == nullptr) return make_segment(file_system_, folder_, id_, segment, file);
  const std::string spare_path = folder_ + "/" + kSpareName;
  int error = spare_->append(encode_header({id_, segment.base, segment.previous_end, wall_clock()}));
  if (error == 0) error = file_system_.rename(spare_path, path_of(segment.base));
  if (error == 0) {
    *file = std::move(spare_);
  } else {
    spare_.reset();
    if (const int undo = file_system_.remove(spare_path); undo != 0) error = undo;  // not a state to go on from
  }
  return error;
}

AppendResult FileJournal::refuse(std::string why) {
  last_error_ = std::move(why);
  return AppendResult::kFull;
}

AppendResult FileJournal::broken(std::string why) {
  last_error_ = std::move(why) + "; nothing is accepted until the journal is opened again";
  broken_ = true;
  return AppendResult::kBroken;
}

void FileJournal::trim(Position up_to) {
  for (const Segment& segment : layout_.trim(up_to)) {
    syncer_.forget(segment.base);
    // One that can't be removed is found, and trimmed, by a later run: its bytes count until then.
    if (file_system_.remove(path_of(segment.base)) == 0) {
      trimmed_bytes_.fetch_add(segment.bytes, std::memory_order_release);
    }
  }
}

int FileJournal::sync_now() {
  const int error = syncer_.sync(end());
  if (syncer_.failed() != 0) sync_error_ = error;
  return error;
}

// What looks after the files goes where it came from: on this thread.
void FileJournal::run() {
  pthread_setname_np(pthread_self(), "chat-journal");
  keep_up();
  if (!broken_) synced_at_the_end_ = sync_now();
  for (const auto& keeper : left_) keeper->finish();
  left_.clear();
  syncer_.close();
}

void FileJournal::keep_up() {
  Clock::time_point sync_due =
      sync_ == JournalOptions::Sync::kInterval ? Clock::now() + interval_ : Clock::time_point::max();
  Clock::time_point measure_due = Clock::now();
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (std::exchange(spare_wanted_, false)) {
      lock.unlock();
      make_spare();
      lock.lock();
      continue;
    }
    if (!left_.empty()) {
      std::vector<std::shared_ptr<FileKeeper>> left = std::exchange(left_, {});
      lock.unlock();
      for (const auto& keeper : left) keeper->finish();
      left.clear();
      lock.lock();
      continue;
    }
    const auto woken = [this] { return stop_ || spare_wanted_ || !left_.empty() || preparer_.wanted(); };
    if (sync_ == JournalOptions::Sync::kAlways) {
      wake_.wait(lock, woken);  // nothing is made ready: beside the disk's time for each record it would not show
      continue;
    }
    const Clock::time_point due = std::min(sync_due, measure_due);
    wake_.wait_until(lock, due, woken);
    if (stop_ || spare_wanted_ || !left_.empty()) continue;
    lock.unlock();
    const Clock::time_point now = Clock::now();
    const bool sync = now >= sync_due;
    const bool measure = now >= measure_due;
    if (sync) sync_now();
    if (measure) preparer_.measure(end());
    const Clock::time_point done = Clock::now();
    if (sync) sync_due = done + interval_;
    if (measure) measure_due = done + Preparer::kRound;
    const auto keeper = syncer_.appended_to();
    keeper->open();  // long before the append side closes the file; where it can't be, whoever needs it says so
    // Behind the sync, which has made the kernel watch for writes to these pages anew.
    preparer_.prepare(*keeper);
    lock.lock();
  }
}

// Where it can't be made, the append side makes its segment itself, and hears why not.
void FileJournal::make_spare() {
  std::unique_ptr<File> file;
  if (file_system_.open(folder_ + "/" + kSpareName, FileSystem::Mode::kCreate, &file, nullptr) != 0) return;
  file.reset();  // the append side opens it for itself
  spare_made_ = true;
}

}  // namespace

std::unique_ptr<Journal> Journal::open(const JournalOptions& options, FileSystem& file_system, JournalError* error) {
  if (const int failed = file_system.make_folder(options.folder); failed != 0) {
    error->what = failure("make folder", options.folder, failed);
    return nullptr;
  }
  std::unique_ptr<FolderLock> lock;
  if (const int failed = file_system.lock_folder(options.folder, &lock); failed != 0) {
    error->what = failed == EWOULDBLOCK ? "journal " + options.folder + " is in use by another process"
                                        : failure("lock", options.folder, failed);
    return nullptr;
  }
  std::optional<Recovered> found = recover(file_system, options, error);
  if (!found) return nullptr;
  return std::make_unique<FileJournal>(options, file_system, std::move(lock), std::move(*found));
}

}  // namespace chat
