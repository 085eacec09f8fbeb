// What the C library does around each system call of the broker's thread, in case somebody wants to cancel it there.
#pragma once

namespace chat {

// While it lives, nobody can cancel the thread that made it, and the C library does not get ready for it. Since a
// process has threads, glibc (up to 2.40) makes a thread cancellable in front of each read(), write() or epoll_wait()
// and takes it back behind, by an atomic exchange each; a thread whose cancellation is asynchronous anyway is left
// alone, and one whose cancellation is disabled besides can't be hurt by that. The broker cancels no thread. Some ten
// system calls a publish: docs/benchmarks.md, "What a publish costs".
//
// Thread: made and destroyed on the same one.
class Uncancelled {
 public:
  Uncancelled();
  ~Uncancelled();  // as it was before
  Uncancelled(const Uncancelled&) = delete;
  Uncancelled& operator=(const Uncancelled&) = delete;

 private:
  int state_ = 0;
  int type_ = 0;
};

}  // namespace chat
