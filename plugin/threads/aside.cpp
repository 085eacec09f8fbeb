#include "plugin/threads/aside.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <utility>

namespace chat {
namespace {

constexpr unsigned kFirstOfOurs = 3;  // behind the standard ones

// ThreadSanitizer knows descriptors by their numbers, and would take two files for one.
#ifdef __SANITIZE_THREAD__
bool leave_the_others() {
  return false;
}
#else
bool leave_the_others() {
  return ::close_range(kFirstOfOurs, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}
#endif

}  // namespace

Aside::Aside(Descriptors descriptors) {
  worker_.start("chat-aside", [this] { serve(); });
  if (descriptors == Descriptors::kOwn) run([this] { apart_ = leave_the_others(); });
}

Aside::~Aside() {
  worker_.stop([this] {
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
  });
}

void Aside::run(const std::function<void()>& work) {
  std::unique_lock lock(mutex_);
  work_ = &work;
  changed_.notify_all();
  changed_.wait(lock, [this] { return work_ == nullptr; });
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Aside::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return work_ != nullptr || worker_.stopping(); });
    if (work_ == nullptr) return;
    const auto* work = work_;
    lock.unlock();
    std::exception_ptr thrown;
    try {
      (*work)();
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    thrown_ = thrown;
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace chat
