// Deliberate defects, so that it can be seen that a report would be seen: ./dev sanitize and ./dev leaks show with them
// that their net has no hole before they say that nothing was caught. Only sanitizer builds hold this file, and a
// plugin that is made for ./dev leaks; without CHAT_DEFECT in the environment it does nothing.
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace chat::defects {
namespace {

// What the compiler may not reason about.
volatile int one = 1;
char* volatile block = nullptr;
int shared_count = 0;

[[gnu::noinline]] void overflow() {
  block = static_cast<char*>(std::malloc(16));
  block[15 + one] = 'x';
  std::free(block);
}

[[gnu::noinline]] void use_after_free() {
  block = static_cast<char*>(std::malloc(16));
  std::free(block);
  block[one] = 'x';
}

[[gnu::noinline]] void undefined() {
  volatile int most = INT_MAX;
  most = most + one;
}

[[gnu::noinline]] void leak() {
  block = static_cast<char*>(std::malloc(4321));
  block = nullptr;
}

[[gnu::noinline]] void race() {
  const auto count = [] {
    for (int i = 0; i < 1000 * one; ++i) ++shared_count;
  };
  std::thread other(count);
  count();
  other.join();
}

// As the program or the plugin is loaded: CHAT_DEFECT=PROGRAM:DEFECT.
[[gnu::constructor]] void commit_the_one_asked_for() {
  const char* const asked = std::getenv("CHAT_DEFECT");
  if (asked == nullptr) return;
  std::string_view name = asked;
  const std::string_view program = program_invocation_short_name;
  if (!name.starts_with(program) || name.size() <= program.size() || name[program.size()] != ':') return;
  name.remove_prefix(program.size() + 1);
  if (name == "overflow") overflow();
  if (name == "use-after-free") use_after_free();
  if (name == "undefined") undefined();
  if (name == "leak") leak();
  if (name == "race") race();
}

}  // namespace
}  // namespace chat::defects
