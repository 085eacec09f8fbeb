// A page of a mapped file that the kernel can't provide (the disk fails, the file was cut by another hand) is told by
// SIGBUS, whose default ends the process: here, a broker with everybody's connections. So the copy into such a page is
// told about it instead, as an error like any other. systemd's journal does it in the same manner (sigbus.c there): the
// handler puts memory of the process's own in the page's place, and the copy goes on and finds out behind it.
//
// Threads: copy_to_file() on any.
#pragma once

#include <string_view>

namespace chat {

// Copies `data` to `to`, which lies in a shared mapping of a file. False: some of it is not in the file, and the
// mapping is of no more use. A BusErrorGuard exists meanwhile.
bool copy_to_file(char* to, std::string_view data);

// The process's handler for SIGBUS is ours as long as one of these exists; what is not copy_to_file()'s goes to the one
// before. Who installs another over it meanwhile takes that away before the last of these goes.
class BusErrorGuard {
 public:
  BusErrorGuard();
  ~BusErrorGuard();
  BusErrorGuard(const BusErrorGuard&) = delete;
  BusErrorGuard& operator=(const BusErrorGuard&) = delete;
};

}  // namespace chat
