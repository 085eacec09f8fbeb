// File systems of their own for the journal and for PostgreSQL, so that they can be full or read-only while the
// machine's are not. In a mount namespace of this program's own: nothing stays behind, however it ends. Needs root.
#pragma once

#include <string>

namespace chat::test {

// Before any thread or process of ours is started. Answers what is missing, as a sentence; empty: nothing.
std::string own_mounts();

// Mounts both below a stack's folder, which is there and empty.
void mount_small_disks(const std::string& folder);

// Full: as large as what is on it. Then as large as it was.
void make_full(const std::string& disk);
void make_room(const std::string& disk);

void make_read_only(const std::string& disk);  // nobody has a file open for writing there
void make_writable(const std::string& disk);

// Takes both off the stack's folder; programs that work there go on with what they have.
void detach_small_disks(const std::string& folder);

}  // namespace chat::test
