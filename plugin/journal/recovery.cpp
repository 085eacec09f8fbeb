#include "plugin/journal/recovery.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "plugin/journal/format.h"
#include "plugin/journal/scanner.h"
#include "plugin/journal/state.h"
#include "storage/uuid.h"

namespace chat {
namespace {

constexpr std::size_t kCopyBytes = 1U << 20;
constexpr int kCutNamesMax = 100;

// A segment's file as it was found.
struct Found {
  Segment segment;
  std::string path;
};

class Recovery {
 public:
  Recovery(FileSystem& file_system, const JournalOptions& options, JournalError* error)
      : file_system_(file_system),
        folder_(options.folder),
        sync_always_(options.sync == JournalOptions::Sync::kAlways),
        error_(error) {}

  std::optional<Recovered> run() {
    if (!read_headers() || !know_journal() || !settle_tail()) return std::nullopt;
    cut_left_segments();
    if (!sync_found() || !open_active()) return std::nullopt;
    count_losses();
    if (!note_open()) return std::nullopt;
    return std::move(result_);
  }

 private:
  bool fail(std::string what) {
    error_->what = std::move(what);
    return false;
  }

  bool read_headers();
  bool know_journal();
  bool settle_tail();
  void cut_left_segments();
  bool cut(const Found& found, std::uint64_t keep);
  bool keep_cut_bytes(const Found& found, std::uint64_t from, bool* zeros);
  bool holds_only_zeros(File& file, std::uint64_t from, std::uint64_t to, bool* zeros);
  bool sync_found();
  bool open_active();
  bool begin_segment(Position base, Position previous_end);
  void count_losses();
  bool note_open();

  FileSystem& file_system_;
  const std::string folder_;
  const bool sync_always_;
  JournalError* error_;

  std::vector<Found> found_;  // base rising
  std::optional<Uuid> named_in_headers_;
  std::optional<JournalState> state_;  // as the last run left it; none: it is missing or damaged
  bool closed_ = false;                // the last run synced everything
  bool fresh_segment_ = false;         // appending goes on in a new one, behind a gap
  Position end_ = 0;                   // behind the last whole record; 0 = nothing tells
  Position seen_ = 0;  // the base of a segment that was dropped: positions behind it may have been given
  Recovered result_;
};

bool Recovery::read_headers() {
  std::vector<std::string> names;
  if (const int error = file_system_.list(folder_, &names); error != 0) return fail(failure("list", folder_, error));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/" + name;
    if (name == kSpareName) {
      if (const int error = file_system_.remove(path); error != 0) return fail(failure("remove", path, error));
    }
    const auto base = segment_base(name);
    if (!base) continue;
    std::unique_ptr<File> file;
    std::uint64_t size = 0;
    int error = file_system_.open(path, FileSystem::Mode::kRead, &file, &size);
    if (error != 0) return fail(failure("open", path, error));
    char bytes[kSegmentHeaderBytes];
    std::size_t got = 0;
    error = file->read(0, bytes, sizeof bytes, &got);
    if (error != 0) return fail(failure("read", path, error));
    SegmentHeader header;
    std::uint32_t version = 0;
    const HeaderState state = decode_header(std::string_view(bytes, got), &header, &version);
    if (state == HeaderState::kNewer) {
      return fail(path + " has journal format version " + std::to_string(version) + "; this program knows version " +
                  std::to_string(kJournalVersion));
    }
    const bool good = state == HeaderState::kGood && header.base == *base;
    if (good && named_in_headers_ && *named_in_headers_ != header.journal) {
      return fail(folder_ + " holds segments of two journals, " + uuid_text(*named_in_headers_) + " and " +
                  uuid_text(header.journal) + " (" + name + ")");
    }
    if (good) named_in_headers_ = header.journal;
    const Position file_end = *base + (size > kSegmentHeaderBytes ? size - kSegmentHeaderBytes : 0);
    found_.push_back({{*base, good ? header.previous_end : *base, file_end, size, !good}, path});
  }
  std::sort(found_.begin(), found_.end(),
            [](const Found& a, const Found& b) { return a.segment.base < b.segment.base; });
  return true;
}

// Which journal this is, and whether the machine went down under it.
bool Recovery::know_journal() {
  JournalState state;
  const StateFile read = read_state(file_system_, folder_, &state);
  if (read == StateFile::kNewer) return fail(folder_ + "/state was written by a newer program: not touched");
  const bool known = read == StateFile::kGood;
  if (known && named_in_headers_ && *named_in_headers_ != state.journal) {
    return fail(folder_ + "/state names journal " + uuid_text(state.journal) + ", but the segments are of " +
                uuid_text(*named_in_headers_));
  }
  if (known || named_in_headers_) {
    result_.journal = known ? state.journal : *named_in_headers_;
    const bool same_boot = known && state.boot == this_boot() && state.boot != "unknown";
    closed_ = known && state.closed;
    result_.power_cut = !closed_ && !same_boot;
    if (known) state_ = state;
    return true;
  }
  // Neither says. That is a new journal, or one whose making was cut off before anything was in it.
  for (const Found& found : found_) {
    std::unique_ptr<File> file;
    bool zeros = false;
    if (const int error = file_system_.open(found.path, FileSystem::Mode::kRead, &file, nullptr); error != 0) {
      return fail(failure("open", found.path, error));
    }
    if (!holds_only_zeros(*file, 0, found.segment.bytes, &zeros)) return fail(failure("read", found.path, EIO));
    if (!zeros) {
      return fail(found.path +
                  " has no readable header and there is no state file: its records can't be told from "
                  "rubbish; move it away to start anew");
    }
    if (const int error = file_system_.remove(found.path); error != 0)
      return fail(failure("remove", found.path, error));
  }
  found_.clear();
  return true;
}

// Finds the end of the last segment; a last segment that holds nothing at all makes room for the one before it.
bool Recovery::settle_tail() {
  const RecordSeal seal(result_.journal);
  while (!found_.empty()) {
    Found& last = found_.back();
    const Position base = last.segment.base;
    std::unique_ptr<File> file;
    if (const int error = file_system_.open(last.path, FileSystem::Mode::kRead, &file, nullptr); error != 0) {
      return fail(failure("open", last.path, error));
    }
    SegmentScanner scanner(std::move(file), seal, base);
    const Position limit = last.segment.file_end;
    Position end = base;  // behind the last whole record
    for (Position at = base; at < limit;) {
      std::string_view body;
      Position next = 0;
      if (scanner.at(at, limit, &body, &next) == SegmentScanner::Found::kRecord) {
        end = at = next;
      } else {
        at = scanner.find(at + 1, limit);
      }
    }
    if (const int error = scanner.take_read_error(); error != 0) return fail(failure("read", last.path, error));
    fresh_segment_ = fresh_segment_ || last.segment.header_damaged;
    const bool drop = last.segment.header_damaged && end == base;
    if (!cut(last, drop ? 0 : end - base + kSegmentHeaderBytes)) return false;
    if (!drop) {
      last.segment.file_end = end_ = end;
      last.segment.bytes = kSegmentHeaderBytes + (end - base);
      return true;
    }
    end_ = base;  // unless the segment before it says better
    seen_ = std::max(seen_, base);
    if (const int error = file_system_.remove(last.path); error != 0) return fail(failure("remove", last.path, error));
    found_.pop_back();
  }
  // Where no segment ever said which positions were given, only another journal can start at the first one.
  if (end_ == 0) result_.journal = random_uuid();
  return true;
}

// Segments in front of the last one: one that a killed process had only just left still has what was made ready in it.
// Nothing of that is read, and where it can't be cut it does not count.
void Recovery::cut_left_segments() {
  for (std::size_t i = 0; i + 1 < found_.size(); ++i) {
    Segment& segment = found_[i].segment;
    const Segment& next = found_[i + 1].segment;
    if (next.header_damaged || next.previous_end < segment.base) continue;
    const std::uint64_t keep = next.previous_end - segment.base + kSegmentHeaderBytes;
    if (segment.bytes <= keep) continue;
    std::unique_ptr<File> file;
    bool zeros = false;
    if (file_system_.open(found_[i].path, FileSystem::Mode::kAppend, &file, nullptr) != 0) continue;
    if (!holds_only_zeros(*file, keep, segment.bytes, &zeros) || !zeros || file->truncate(keep) != 0) continue;
    segment.file_end = next.previous_end;
    segment.bytes = keep;
  }
}

// Leaves the first `keep` bytes of the file.
bool Recovery::cut(const Found& found, std::uint64_t keep) {
  const std::uint64_t size = found.segment.bytes;
  if (size <= keep) return true;
  bool zeros = false;
  if (!keep_cut_bytes(found, keep, &zeros)) return false;
  std::unique_ptr<File> file;
  int error = file_system_.open(found.path, FileSystem::Mode::kAppend, &file, nullptr);
  if (error == 0) error = file->truncate(keep);
  if (error == 0) error = file->sync();
  if (error != 0) return fail(failure("cut the torn tail of", found.path, error));
  // What the killed process had made ready and not used: no record was there, unless the machine went down, and then
  // open_active() begins a new segment anyway.
  if (zeros) return true;
  result_.cut_bytes += size - keep;
  // A record that somebody saw may have been in there, whatever became of it: its position is not given again.
  fresh_segment_ = true;
  return true;
}

bool Recovery::holds_only_zeros(File& file, std::uint64_t from, std::uint64_t to, bool* zeros) {
  std::string buffer(kCopyBytes, '\0');
  *zeros = true;
  while (from < to) {
    std::size_t got = 0;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - from));
    if (file.read(from, buffer.data(), want, &got) != 0 || got != want) return false;
    if (buffer.find_first_not_of('\0') != std::string::npos) {
      *zeros = false;
      return true;
    }
    from += got;
  }
  return true;
}

// Copies what will be cut to a file beside the segment, unless it holds only zeros. A full disk is no reason to refuse:
// nobody was told of a torn record.
bool Recovery::keep_cut_bytes(const Found& found, std::uint64_t from, bool* zeros) {
  std::unique_ptr<File> file;
  int error = file_system_.open(found.path, FileSystem::Mode::kRead, &file, nullptr);
  if (error != 0) return fail(failure("open", found.path, error));
  const std::uint64_t size = found.segment.bytes;
  if (!holds_only_zeros(*file, from, size, zeros)) return fail(failure("read", found.path, EIO));
  if (*zeros) return true;
  std::unique_ptr<File> copy;
  std::string path = found.path + ".cut";
  for (int n = 1; n <= kCutNamesMax; ++n) {
    error = file_system_.open(path, FileSystem::Mode::kCreate, &copy, nullptr);
    if (error != EEXIST) break;
    path = found.path + ".cut." + std::to_string(n);
  }
  std::string buffer(kCopyBytes, '\0');
  while (error == 0 && from < size) {
    std::size_t got = 0;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - from));
    error = file->read(from, buffer.data(), want, &got);
    if (error == 0) error = copy->append(std::string_view(buffer).substr(0, got));
    from += want;
  }
  if (error == 0) error = copy->sync();
  if (error == 0 || error == ENOSPC || error == EDQUOT || error == EEXIST) return true;
  return fail(failure("write", path, error));
}

// A process that was killed left what it had not synced yet in the page cache: this one must not count it as synced.
bool Recovery::sync_found() {
  if (closed_) return true;
  for (const Found& found : found_) {
    std::unique_ptr<File> file;
    int error = file_system_.open(found.path, FileSystem::Mode::kRead, &file, nullptr);
    if (error == 0) error = file->sync();
    if (error != 0) return fail(failure("sync", found.path, error));
  }
  if (const int error = file_system_.sync_folder(folder_); error != 0) return fail(failure("sync", folder_, error));
  return true;
}

bool Recovery::open_active() {
  if (end_ == 0) return begin_segment(kFirstPosition, kFirstPosition);
  for (const Found& found : found_) result_.segments.push_back(found.segment);
  if (result_.power_cut || fresh_segment_) return begin_segment(std::max(end_, seen_) + kPowerCutGap, end_);
  result_.end = end_;
  std::uint64_t size = 0;
  const std::string& path = found_.back().path;
  const int error = file_system_.open(path, FileSystem::Mode::kAppend, &result_.active, &size);
  if (error != 0) return fail(failure("open", path, error));
  result_.active_bytes = size;
  return true;
}

bool Recovery::begin_segment(Position base, Position previous_end) {
  const Segment segment{base, previous_end, base, kSegmentHeaderBytes, false};
  int error = make_segment(file_system_, folder_, result_.journal, segment, &result_.active);
  if (error == 0) error = result_.active->sync();
  if (error == 0) error = file_system_.sync_folder(folder_);
  if (error != 0) return fail(failure("make a segment in", folder_, error));
  result_.segments.push_back(segment);
  result_.active_bytes = kSegmentHeaderBytes;
  result_.end = base;
  return true;
}

// Called behind open_active(): each power cut made its gap by now.
void Recovery::count_losses() {
  if (end_ == 0) return;  // a new journal, whatever lay here before
  result_.may_have_lost = result_.power_cut && !(state_ && state_->sync_always);
  if (state_) {
    result_.losses = state_->losses + (result_.may_have_lost ? 1 : 0);
  } else {
    // The count is lost. Each loss was a power cut and moved the positions on by a gap, this opening by one more: so
    // this is above every earlier count.
    result_.losses = static_cast<std::int64_t>(result_.end / kPowerCutGap);
  }
}

bool Recovery::note_open() {
  const int error =
      write_state(file_system_, folder_, {result_.journal, this_boot(), false, sync_always_, result_.losses});
  if (error != 0) return fail(failure("write", folder_ + "/state", error));
  return true;
}

}  // namespace

std::optional<Recovered> recover(FileSystem& file_system, const JournalOptions& options, JournalError* error) {
  return Recovery(file_system, options, error).run();
}

int make_segment(FileSystem& file_system, const std::string& folder, const Uuid& journal, const Segment& segment,
                 std::unique_ptr<File>* file) {
  const std::string path = folder + "/" + segment_name(segment.base);
  int error = file_system.open(path, FileSystem::Mode::kCreate, file, nullptr);
  if (error != 0) return error;
  error = (*file)->append(encode_header({journal, segment.base, segment.previous_end, wall_clock()}));
  if (error != 0) {
    file->reset();
    file_system.remove(path);  // where this fails too, the next open() drops it: it has no whole header
  }
  return error;
}

std::string failure(const std::string& doing, const std::string& path, int error) {
  return "can't " + doing + " " + path + ": " + std::generic_category().message(error);
}

TimeMs wall_clock() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace chat
