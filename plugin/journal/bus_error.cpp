#include "plugin/journal/bus_error.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace chat {
namespace {

struct Copy {
  std::uintptr_t begin = 0;  // where it writes to; begin == end: no copy is under way on this thread
  std::uintptr_t end = 0;
  bool failed = false;
};

// initial-exec: reached from a signal handler, where memory for it must not have to be made first.
[[gnu::tls_model("initial-exec")]] thread_local volatile Copy t_copy;

std::mutex g_mutex;  // of the next two, but for the handler, which reads g_before while it is installed
int g_guards = 0;
struct sigaction g_before {};
std::uintptr_t g_page_bytes = 0;

// Only what may be called in a handler: mmap is a bare system call.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  // By pages: some machines tell no more than that.
  char* page = static_cast<char*>(info->si_addr);
  page -= reinterpret_cast<std::uintptr_t>(page) % g_page_bytes;
  const auto at = reinterpret_cast<std::uintptr_t>(page);
  // si_code above 0: by the kernel for an access, and not by kill().
  if (info->si_code > 0 && t_copy.begin != t_copy.end && at + g_page_bytes > t_copy.begin && at < t_copy.end) {
    if (::mmap(page, g_page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) {
      t_copy.failed = true;
      return;
    }
  }
  if ((g_before.sa_flags & SA_SIGINFO) != 0) {
    g_before.sa_sigaction(signal, info, context);
  } else if (g_before.sa_handler != SIG_DFL && g_before.sa_handler != SIG_IGN) {
    g_before.sa_handler(signal);
  } else if (g_before.sa_handler == SIG_DFL || info->si_code > 0) {
    // The access is made again when this returns, and ends the process as it would have without us.
    ::sigaction(SIGBUS, &g_before, nullptr);
    if (info->si_code <= 0) ::raise(signal);
  }
}

}  // namespace

bool copy_to_file(char* to, std::string_view data) {
  t_copy.failed = false;
  t_copy.end = reinterpret_cast<std::uintptr_t>(to) + data.size();
  t_copy.begin = reinterpret_cast<std::uintptr_t>(to);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(to, data.data(), data.size());
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_copy.begin = t_copy.end;
  return !t_copy.failed;
}

BusErrorGuard::BusErrorGuard() {
  std::lock_guard lock(g_mutex);
  if (g_guards++ > 0) return;
  g_page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction ours {};
  ours.sa_sigaction = on_bus_error;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGBUS, &ours, &g_before);
}

BusErrorGuard::~BusErrorGuard() {
  std::lock_guard lock(g_mutex);
  if (--g_guards > 0) return;
  struct sigaction now {};
  // Somebody put another one over it meanwhile: that one stays.
  if (::sigaction(SIGBUS, nullptr, &now) == 0 && now.sa_sigaction == on_bus_error) {
    ::sigaction(SIGBUS, &g_before, nullptr);
  }
}

}  // namespace chat
