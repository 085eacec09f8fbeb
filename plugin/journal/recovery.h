// What open() finds in a folder and puts right. docs/journal-format.md, "Opening", numbers the steps.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "plugin/journal/file.h"
#include "plugin/journal/journal.h"
#include "plugin/journal/layout.h"

namespace chat {

inline constexpr const char* kSpareName = "spare.tmp";

struct Recovered {
  Uuid journal{};
  std::deque<Segment> segments;  // at least one
  std::unique_ptr<File> active;  // the last segment, to be appended to
  std::uint64_t active_bytes = 0;
  Position end = 0;
  std::uint64_t cut_bytes = 0;
  bool power_cut = false;
  bool may_have_lost = false;
  std::int64_t losses = 0;
};

// The folder exists and is locked. Leaves it such that appending may begin, with the state file saying "not closed".
std::optional<Recovered> recover(FileSystem& file_system, const JournalOptions& options, JournalError* error);

// Makes the file of a segment with its header: `*file` stands behind it. Answers an errno or 0; nothing is left in case
// of one.
int make_segment(FileSystem& file_system, const std::string& folder, const Uuid& journal, const Segment& segment,
                 std::unique_ptr<File>* file);

std::string failure(const std::string& doing, const std::string& path, int error);  // "can't <doing> <path>: <reason>"

TimeMs wall_clock();

}  // namespace chat
