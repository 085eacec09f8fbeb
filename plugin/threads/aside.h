// Where everything runs that the broker's thread has nothing to do with: a thread whose descriptors are its own, with
// all threads that are made there. What the kernel does for a system call on a descriptor is cheaper for a thread that
// shares its table with no other (it need not count the use): 0.4 us of a publish, of the broker's thread
// (docs/benchmarks.md, "What a publish costs").
//
// So one number may be two files, here and there. The rule: what is opened on one side is used and closed on that side
// and no other; across go names of files and memory. What is made on the broker's thread and opens something later
// (a store) is stopped and destroyed aside.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>

#include "plugin/threads/worker.h"

namespace chat {

class Aside {
 public:
  enum class Descriptors { kShared, kOwn };

  // kOwn: as far as the kernel lets it (Linux 5.9, and no filter in its way); where not, they are shared, which costs
  // speed and nothing else. All but the standard ones are closed there.
  explicit Aside(Descriptors descriptors);
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // Calls it there, and returns when that is done, or throws what it threw. Not from there.
  void run(const std::function<void()>& work);

  bool apart() const { return apart_; }  // whether the descriptors are its own

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;
  std::exception_ptr thrown_;
  bool apart_ = false;
  Worker worker_;
};

}  // namespace chat
