// The small file beside the segments that says whose journal this is and how its last run ended.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/journal/file.h"
#include "storage/types.h"

namespace chat {

struct JournalState {
  Uuid journal{};
  std::string boot;          // the kernel's id of the boot in which it was written
  bool closed = false;       // cleanly, everything synced
  bool sync_always = false;  // the run that wrote this syncs each record before it is acknowledged
  std::int64_t losses = 0;   // Journal::losses()

  bool operator==(const JournalState&) const = default;
};

enum class StateFile { kGood, kMissing, kDamaged, kNewer };

StateFile read_state(FileSystem& file_system, const std::string& folder, JournalState* state);

// Replaces it: after a crash either the old or the new one is there. Answers an errno or 0.
int write_state(FileSystem& file_system, const std::string& folder, const JournalState& state);

Uuid random_uuid();

// This boot's id; "unknown" where the kernel does not say, which never counts as the same boot.
std::string this_boot();

}  // namespace chat
